//! Months to print, for tests and for looking at the pages.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::civil::{Date, date};
use raccord_kit::{Kit, ManualClock, Tool};
use raccord_model::{
    Context, Desired, Entity, EntityId, EntityKind, Fields, Lang, Place, Rendered, Subject,
};
use raccord_typeset::Template;
use serde_json::{Value, json};

/// The sample month, as the sheet's 45 lines.
pub const JANUARY: &str = include_str!("../../../../connectors/programme/tests/data/january.json");

/// The public lines of the messy sample workbook, as the spreadsheet connector read them.
pub const MESSY: &str = include_str!("../../../../connectors/programme/tests/data/messy.json");

pub fn entity(fields: &Value) -> Entity {
    let fields: Fields = fields
        .as_object()
        .expect("fields are an object")
        .iter()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    Entity {
        id: EntityId::derive(&[
            fields["title"].to_string().as_bytes(),
            fields
                .get("start")
                .map(ToString::to_string)
                .unwrap_or_default()
                .as_bytes(),
        ]),
        kind: EntityKind::Activity,
        revision: 1,
        source: "sheet".into(),
        fields,
    }
}

pub fn january() -> Vec<Entity> {
    let lines: Vec<Value> = serde_json::from_str(JANUARY).expect("the sample is JSON");
    lines.iter().map(entity).collect()
}

/// 120 activities of a busy place.
pub fn busy() -> Vec<Entity> {
    let lines: Vec<Value> = serde_json::from_str(JANUARY).expect("the sample is JSON");
    (0..120)
        .map(|n| {
            let mut fields = lines[(n * 7) % lines.len()].clone();
            let day = date(2027, 1, 1 + (n * 13 % 31) as i8);
            fields["title"] =
                format!("{} ({})", fields["title"].as_str().unwrap_or(""), n + 1).into();
            fields["start"] = format!("{day}T{:02}:{}", 8 + n % 13, ["00", "30"][n % 2]).into();
            fields["end"] = format!("{day}T{:02}:{}", 9 + n % 13, ["30", "00"][n % 2]).into();
            fields["visibility"] = "public".into();
            fields["status"] = "confirmed".into();
            entity(&fields)
        })
        .collect()
}

/// 45 public activities, each with a good deal to say.
pub fn crowded() -> Vec<Entity> {
    let mut month = january();
    for (n, entity) in month.iter_mut().enumerate() {
        entity.fields.insert("visibility".into(), "public".into());
        entity.fields.insert("status".into(), "confirmed".into());
        let text = entity.text("description").to_owned();
        let more = [
            " Venez comme vous êtes, avec vos envies, vos outils et vos voisines ; on s'occupe du reste, du café et des enfants.",
            "",
            " Ouvert à toutes et tous.",
        ][n % 3];
        entity
            .fields
            .insert("description".into(), format!("{text}{more}").into());
    }
    month
}

/// The sample month some days after its programme was printed and pinned up, with the mark of that.
pub fn printed() -> Vec<Entity> {
    let base = tool(
        PathBuf::new(),
        PathBuf::new(),
        Lang::Fr,
        json!({"output": "."}),
    );
    let shown = desired(base.as_ref(), &january(), Lang::Fr).body["document"]["weeks"].clone();
    let mut month = january();
    month.retain(|entity| entity.text("title") != "Scène ouverte");
    for entity in &mut month {
        let title = entity.text("title").to_owned();
        let mut set = |field: &str, value: &str| {
            entity.fields.insert(field.into(), value.into());
        };
        match title.as_str() {
            "Bourse aux graines" => set("room", "Préau"),
            "Concert : trio jazz" => {
                set("start", "2027-01-28T21:00");
                set("end", "2027-01-28T23:30");
            }
            "Goûter-jeux en famille" => set("status", "full"),
            // Nobody could notice this beside the wall.
            "Repair café" => set("description", "Petit électroménager."),
            _ => {}
        }
    }
    month.push(entity(&json!({
        "title": "Veillée contes", "kind": "Concert", "start": "2027-01-17T18:00",
        "end": "2027-01-17T20:00", "room": "Bibliothèque", "organiser": "Groupe lecture",
    })));
    month.push(mark(&shown));
    month
}

/// The mark that the third edition of January, which shows `weeks`, hangs on the wall.
pub fn mark(weeks: &Value) -> Entity {
    let mut mark = entity(&json!({
        "title": "Programme de janvier 2027", "kind": "programme", "period": "2027-01",
        "edition": 3, "printed": "2026-12-20T08:00:00Z", "extra": {"weeks": weeks},
    }));
    mark.kind = EntityKind::Publication;
    mark
}

/// What a person reads in a workbook with the mess people make.
pub fn messy() -> Vec<Entity> {
    let lines: Vec<Value> = serde_json::from_str(MESSY).expect("the sample is JSON");
    lines.iter().map(entity).collect()
}

/// The sample month with tasks, as recipes derive them from meetings, concerts and work parties.
pub fn with_tasks() -> Vec<Entity> {
    let mut month = january();
    let tasks: Vec<Entity> = month.iter().flat_map(tasks_of).collect();
    month.extend(tasks);
    month
}

fn tasks_of(activity: &Entity) -> Vec<Entity> {
    let tasks = match activity.text("kind") {
        "Réunion" => json!([
            {"title": "Animer la réunion", "capacity": 1, "credits": 200},
            {"title": "Participer à la réunion"},
        ]),
        "Concert" => json!([
            {"title": "Accueil", "capacity": 2, "credits": 150, "priority": 1},
            {"title": "Bar", "capacity": 3, "credits": 200},
            {"title": "Ranger la salle", "credits": 100, "priority": 9},
        ]),
        "Chantier participatif" => json!([
            {"title": "Préparer les outils", "capacity": 1, "priority": 1},
            {"title": "Cuisiner pour tout le monde", "capacity": 2, "credits": 300},
        ]),
        _ => json!([]),
    };
    let tasks = tasks.as_array().expect("a list").iter();
    tasks
        .map(|task| {
            let mut task = task.clone();
            task["activity"] = activity.id.to_string().into();
            let mut task = entity(&task);
            task.kind = EntityKind::Task;
            task
        })
        .collect()
}

/// Sheets to sign on of every length: long titles, many tasks, many places, none, a full one.
pub fn tables() -> Vec<Entity> {
    let long = "Grande assemblée générale annuelle et extraordinaire des habitantes, habitants, voisines, voisins et amis du quartier de la rivière";
    let mut month: Vec<Entity> = [
        json!({"title": long, "kind": "Réunion", "capacity": 70, "credits": 100}),
        json!({"title": "Atelier couture", "kind": "Atelier", "capacity": 8, "status": "full"}),
        json!({"title": "Concert : fanfare de quartier", "kind": "Concert", "capacity": 20}),
        json!({"title": "Repas partagé", "kind": "Repas partagé"}),
    ]
    .into_iter()
    .zip(11..)
    .map(|(mut fields, day)| {
        fields["start"] = format!("2027-01-{day}T18:30").into();
        fields["end"] = format!("2027-01-{day}T21:00").into();
        fields["room"] = "Grande halle".into();
        fields["organiser"] = "Coordination".into();
        entity(&fields)
    })
    .collect();
    let tasks: Vec<Entity> = month.iter().flat_map(tasks_of).collect();
    month.extend(tasks);
    month
}

/// The template of a sheet, with the parts they have in common.
pub fn template(sheet: &str) -> Template {
    let main = match sheet {
        "leaflet" => include_str!("../../../../connectors/programme/templates/leaflet.typ"),
        "since" => include_str!("../../../../connectors/programme/templates/since.typ"),
        "signup" => include_str!("../../../../connectors/programme/templates/signup.typ"),
        _ => include_str!("../../../../connectors/programme/templates/programme.typ"),
    };
    let mut template = Template::of(main);
    template.files.insert(
        "parts.typ".into(),
        include_str!("../../../../connectors/programme/templates/parts.typ").into(),
    );
    template
}

/// What `sheet` (`programme`, `leaflet`, `since`, `signup`) of a month is made from; none where there
/// is no such sheet.
pub fn data(members: &[Entity], sheet: &str, lang: Lang) -> Option<Value> {
    let settings = json!({"output": ".", "layout": "both", "signup_sheets": true,
        "signup": "https://inscriptions.example.org/"});
    let tool = tool(PathBuf::new(), PathBuf::new(), lang, settings);
    let desired = desired(tool.as_ref(), members, lang);
    let part = if sheet == "since" {
        "since"
    } else {
        "document"
    };
    desired.body.get(part).map(stamped)
}

/// `data` as the connector hands it over for the third edition.
pub fn stamped(data: &Value) -> Value {
    let mut data = data.clone();
    data["edition"] = json!({"number": 3, "date": data["made"], "hash": "4f2a9c"});
    data["keywords"] = json!(["raccord:4f2a9c", "raccord-edition:3"]);
    data
}

/// The first five public ones of the sample, and what is not one evening.
pub fn few() -> Vec<Entity> {
    let mut month: Vec<Entity> = january()
        .into_iter()
        .filter(|entity| entity.text("visibility") == "public")
        .step_by(8)
        .take(3)
        .collect();
    month.push(entity(&json!({
        "title": "Stage de charpente", "kind": "Formation", "start": "2027-01-22", "end": "2027-01-24",
        "zone": "Indian/Reunion", "all_day": true, "room": "Grande halle", "organiser": "Équipe bâti",
        "description": "Trois jours pour apprendre à tailler tenons et mortaises, monter une ferme et la lever ensemble. Outils prêtés, repas de midi partagés, hébergement possible chez les voisines et voisins du lieu.",
        "capacity": 12, "credits": 600, "status": "tentative",
    })));
    month.push(entity(&json!({
        "title": "Nuit de la lecture", "kind": "Fête", "start": "2027-01-30T20:00", "end": "2027-01-31T04:00",
        "zone": "Indian/Reunion", "room": "Bibliothèque",
        "description": "On lit à voix haute jusqu'au bout de la nuit : apportez un livre et un coussin !",
    })));
    month
}

/// Every kind of text that wants to be more than text.
pub fn hostile() -> Vec<Entity> {
    let texts = [
        "#panic(\"x\") #import \"@preview/x:1.0.0\": *",
        "*gras* _it_ `code` $x^2$ = titre <label> @all @here \\u{41}",
        "]#read(\"/etc/passwd\")[ ${jndi:ldap://x} {{7*7}} <script>alert(1)</script>",
        "=HYPERLINK(\"http://x\") // commentaire /* */ ~ -- ---",
        "Ligne\ndeux\r\n\u{2028}trois\t\u{7}\u{0} fin",
        "\u{202e}txet sdrawkcab\u{202c} \u{200f}",
        "مرحبا بكم في الحفلة الموسيقية",
        "ערב שירה בציבור",
        "🎉🎸 Fête 🌱 👩‍🌾 👨‍👩‍👧‍👦 🏳️‍🌈 ✊🏿 ❤️",
        "Привет · Γειά σου · œuvre, Œuvre, cœur, ÉÀÇÎŸ, 5 €, « guillemets », l'été",
        "AaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaZ",
        "漢字 カタカナ 한국어 ไทย हिन्दी",
        "z̷̢̧̛̰̞͓̙̟̥͚̗̝̃̂̈́̎̕͝a̶̡̛̻̙̘̼̮̩̟͒̅̍̈̕l̷̨̛̛̫̞̣̩̬̖̎̀̅̕͝g̸̡̨̛̗̮̩̟̎̀̅̕o̴̧̨̡̗̮̩̟̎̀̅̕",
        "",
        "   ",
    ];
    let mut month: Vec<Entity> = texts
        .iter()
        .enumerate()
        .map(|(n, text)| {
            entity(&json!({
                "title": text, "kind": text, "room": text, "organiser": text, "description": text,
                "start": format!("2027-01-{:02}T18:30", n + 1), "end": format!("2027-01-{:02}T18:00", n + 1),
                "capacity": u32::MAX, "credits": i64::MAX,
            }))
        })
        .collect();
    month.push(entity(&json!({
        "title": "long ".repeat(3000), "description": "x".repeat(10_000), "kind": "K".repeat(3000),
        "room": "R".repeat(3000), "organiser": "O O ".repeat(3000), "start": "2027-01-20",
    })));
    month
}

pub fn place(lang: Lang) -> Place {
    Place {
        id: "raffinerie".parse().expect("a plain name"),
        name: "La Raffinerie".into(),
        zone: "Indian/Reunion".into(),
        lang,
        public_url: "https://programme.example.org/".into(),
    }
}

pub fn tool(folder: PathBuf, program: PathBuf, lang: Lang, settings: Value) -> Box<dyn Tool> {
    let kit = Kit {
        name: "printed-programme".parse().expect("a plain name"),
        place: place(lang),
        colour: String::new(),
        base: folder,
        clock: Arc::new(ManualClock::at(
            "2026-12-20T08:00:00Z".parse().expect("an instant"),
        )),
        allow_private: Arc::from([]),
        templates: std::sync::Arc::default(),
        signups: Arc::from([]),
        has_hands: false,
        program,
    };
    (raccord_connector_programme::CONNECTOR.build)(settings, &kit).expect("the settings are right")
}

pub fn today() -> Date {
    date(2026, 12, 20)
}

pub fn desired(tool: &dyn Tool, members: &[Entity], lang: Lang) -> Desired {
    let place = place(lang);
    let context = Context {
        place: &place,
        lang,
        today: today(),
        route: None,
    };
    let subject = Subject::Publication {
        id: EntityId::derive(&[b"2027-01"]),
        key: "2027-01",
        members,
    };
    match tool.sink().expect("it writes").render(subject, &context) {
        Rendered::Object(desired) => desired,
        Rendered::Nothing => panic!("there is something to print"),
    }
}
