//! What stands in invented programmes, in French and English: roles instead of names.

use crate::rng::Rng;
use crate::sheet::Tongue;

/// What a kind of place puts on.
pub struct Menu {
    /// Kind of activity and how its titles begin.
    pub formats: &'static [(&'static str, &'static str)],
    /// What its titles are about.
    pub topics: &'static [&'static str],
    /// What comes back every week: kind, title.
    pub weekly: &'static [(&'static str, &'static str)],
    /// Rooms.
    pub rooms: &'static [&'static str],
    /// Who runs things.
    pub people: &'static [&'static str],
    /// Sentences descriptions are made of; `{}` is the topic.
    pub sentences: &'static [&'static str],
}

const FR: Menu = Menu {
    formats: &[
        ("Atelier", "Atelier "),
        ("Atelier", "Initiation : "),
        ("Conférence", "Conférence : "),
        ("Projection", "Projection-débat : "),
        ("Chantier participatif", "Chantier "),
        ("Concert", "Concert : "),
        ("Fête", "Fête de "),
        ("Formation", "Formation "),
        ("Stage", "Stage "),
        ("Exposition", "Exposition "),
        ("Visite", "Visite guidée : "),
        ("Débat", "Débat — "),
        ("Concert", ""),
        ("Atelier", ""),
    ],
    topics: &[
        "vélo",
        "couture zéro déchet",
        "les communs",
        "l’eau en ville",
        "fanfare de quartier",
        "trio jazz",
        "isolation de la halle",
        "premiers secours",
        "compost",
        "le pain au levain",
        "photographie argentique",
        "radio locale",
        "chant choral",
        "poterie",
        "vannerie",
        "logiciels libres",
        "jardin partagé",
        "semences paysannes",
        "théâtre d’impro",
        "contes créoles",
        "maloya et kabar",
        "danse folk",
        "le logement",
        "la Sécurité sociale de l’alimentation",
        "sérigraphie",
        "gravure",
        "écriture",
        "plantes médicinales",
        "mobilités douces",
        "énergie solaire",
        "apiculture",
        "cirque",
        "marionnettes",
        "cuisine du monde",
        "langue des signes",
        "mosaïque",
        "teinture végétale",
        "menuiserie",
        "soudure",
        "électricité",
        "budget participatif",
        "droits des locataires",
        "orchestre des voisins",
        "quatuor à cordes",
        "électro en plein air",
        "slam",
        "poésie",
        "oiseaux des jardins",
        "astronomie",
        "échecs",
        "jeux coopératifs",
        "la Chandeleur",
        "carnaval",
        "l’été",
        "la rentrée",
        "cerfs-volants",
        "reliure",
        "tricot",
        "yoga doux",
        "méditation",
    ],
    weekly: &[
        ("Permanence", "Permanence d’accueil"),
        ("Repas partagé", "Repas partagé du jeudi"),
        ("Atelier", "Atelier vélo"),
        ("Atelier", "Repair café"),
        ("Répétition", "Répétition de la chorale"),
        ("Atelier", "Yoga"),
        ("Réunion", "Réunion du groupe jardin"),
        ("Atelier", "Couture"),
        ("Atelier", "Aide aux devoirs"),
        ("Rencontre", "Café des parents"),
        ("Marché", "Distribution des paniers"),
        ("Atelier", "Cours de français"),
    ],
    rooms: &[
        "Grande halle",
        "Salle du Conseil",
        "Cuisine",
        "Atelier textile",
        "Atelier vélo",
        "Jardin",
        "Bureau",
        "Accueil",
        "Petite salle",
        "Studio",
        "Mezzanine",
        "Cour",
    ],
    people: &[
        "Coordination",
        "Équipe accueil",
        "Référente vélo",
        "Équipe cuisine",
        "Équipe bâti",
        "Référente textile",
        "Groupe jardin",
        "Groupe ciné",
        "Trésorerie",
        "Référent programmation",
        "Équipe réparation",
        "Commission culture",
        "Les voisines",
        "Bénévoles du bar",
    ],
    sentences: &[
        "Venez découvrir {} avec nous.",
        "Matériel fourni, apportez votre bonne humeur.",
        "Prix libre.",
        "Une rencontre autour de {}, ouverte à toutes et tous.",
        "Inscription conseillée.",
        "Bar et petite restauration sur place.",
        "Pour débuter ou se perfectionner : {}.",
        "Discussion après, jusqu’à ce qu’on nous mette dehors.",
        "Enfants bienvenus à partir de six ans.",
        "5 € d’adhésion à la séance.",
        "On parlera de {}, et de ce qu’on en fait ici.",
    ],
};

const EN: Menu = Menu {
    formats: &[
        ("Workshop", "Workshop: "),
        ("Talk", "Talk: "),
        ("Film", "Film night: "),
        ("Concert", "Live: "),
        ("Class", "Introduction to "),
        ("Work party", "Work party: "),
        ("Concert", ""),
        ("Workshop", ""),
        ("Market", "Swap shop: "),
    ],
    topics: &[
        "bike repair",
        "sourdough",
        "screen printing",
        "the commons",
        "brass band",
        "folk session",
        "seed saving",
        "first aid",
        "housing rights",
        "open mic",
        "pottery",
        "willow weaving",
        "home energy",
        "beekeeping",
        "clowning",
        "puppets",
        "storytelling",
        "stargazing",
        "bird walks",
        "vegan cooking",
        "sign language",
        "woodwork",
        "welding",
        "knitting",
        "life drawing",
        "board games",
        "spoken word",
        "jazz quartet",
        "samba drumming",
        "mending clothes",
        "free software",
        "local radio",
        "creative writing",
        "composting",
        "mushrooms",
        "herbal remedies",
        "community budgeting",
        "oral history",
        "choir of neighbours",
        "lantern making",
    ],
    weekly: &[
        ("Class", "Yoga"),
        ("Class", "Beginners’ English"),
        ("Meal", "Community lunch"),
        ("Meeting", "Garden group"),
        ("Class", "Tai chi"),
        ("Workshop", "Repair café"),
        ("Rehearsal", "Choir rehearsal"),
        ("Drop-in", "Advice drop-in"),
        ("Class", "Toddler group"),
        ("Market", "Veg box pick-up"),
    ],
    rooms: &[
        "Main hall",
        "Kitchen",
        "Studio 1",
        "Studio 2",
        "Garden room",
        "Library",
        "Workshop",
        "Café",
        "Courtyard",
        "Attic",
    ],
    people: &[
        "Front desk",
        "Garden team",
        "Kitchen team",
        "Bike collective",
        "Programme team",
        "Volunteers",
        "Textile group",
        "Film club",
        "Parents’ group",
        "Board",
        "Music crew",
    ],
    sentences: &[
        "Come and try {} with us.",
        "All materials provided.",
        "Pay what you can.",
        "Everyone welcome, no experience needed.",
        "Booking recommended.",
        "Bar open from seven.",
        "An evening about {}.",
        "Children welcome with an adult.",
        "We will look at {} and what it means here.",
        "Bring a friend and something to share.",
    ],
};

/// The words of a language.
pub fn menu(tongue: Tongue) -> &'static Menu {
    match tongue {
        Tongue::Fr => &FR,
        Tongue::En => &EN,
    }
}

/// The name of a band nobody has heard of.
pub fn band(rng: &mut Rng) -> String {
    const HEADS: [&str; 24] = [
        "Ka", "Lo", "Mi", "Zou", "Ber", "Tan", "Vel", "Ori", "Pa", "Sha", "Gro", "Né", "Cli", "Fu",
        "Ma", "Ré", "Dji", "Bou", "Tri", "Sol", "Ara", "Hel", "Qui", "Ny",
    ];
    const TAILS: [&str; 20] = [
        "lou", "ra", "mbo", "tik", "ven", "zo", "naï", "pert", "lys", "ko", "dour", "xia", "mel",
        "ros", "vik", "tane", "gui", "phé", "bal", "dric",
    ];
    const AFTER: [&str; 14] = [
        "",
        "",
        "",
        " Trio",
        " Orkestra",
        " & the Others",
        " Sound",
        " Quartet",
        " Brothers",
        " Collectif",
        " Electric",
        " + invités",
        " (solo)",
        " Big Band",
    ];
    let mut name = format!("{}{}", rng.pick(&HEADS), rng.pick(&TAILS));
    if rng.chance(40) {
        let tail = *rng.pick::<&str>(&TAILS);
        name.push_str(tail);
    }
    if rng.chance(30) {
        name = format!("{name} {}{}", rng.pick(&HEADS), rng.pick(&TAILS));
    }
    name + *rng.pick(&AFTER)
}

/// A description about a topic, or nothing.
pub fn description(menu: &Menu, topic: &str, rng: &mut Rng) -> String {
    let mut out = String::new();
    for _ in 0..rng.below(4) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&rng.pick(menu.sentences).replace("{}", topic));
    }
    out
}
