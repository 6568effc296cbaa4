//! What letters say, as they were looked at, and what no text of a sheet can do to them.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{entity, kit, letter, letter_by, list, parts, sample, smtp, tool};
use raccord_model::{EntityKind, Lang, RoundupOf, Route};
use serde_json::json;

#[test]
fn letters_are_as_they_were_looked_at() {
    for (name, of, lang) in [
        ("week_fr", RoundupOf::Week, Lang::Fr),
        ("week_en", RoundupOf::Week, Lang::En),
        ("month_fr", RoundupOf::Month, Lang::Fr),
    ] {
        let kit = kit();
        let letter = letter(&*tool(smtp(), &kit), &kit, of, lang, &sample()).unwrap();
        let (text, html) = parts(&letter);
        assert!(lang == Lang::Fr || !text.contains(" : http"), "{text}");
        insta::assert_snapshot!(format!("{name}_text"), text);
        insta::assert_snapshot!(format!("{name}_html"), html);
    }
}

#[test]
fn the_sample_month_is_far_from_what_webmails_cut_and_so_is_a_month_without_end() {
    let kit = kit();
    let tool = tool(smtp(), &kit);
    let size = |members: &[_]| {
        let month = letter(&*tool, &kit, RoundupOf::Month, Lang::Fr, members).unwrap();
        parts(&month).1.len()
    };
    let month = size(&sample());
    assert!(month < 60_000, "{month}");
    let many: Vec<_> = (0..400)
        .map(|n| {
            let title = format!("{n} {}", "é".repeat(180));
            let fields = json!({
                "title": title, "start": format!("2027-01-{:02}T10:00", 2 + n % 29),
                "url": format!("https://example.org/{}", "a".repeat(1_000)),
            });
            entity(EntityKind::Activity, &title, fields)
        })
        .collect();
    let endless = size(&many);
    assert!(endless < 100_000, "{endless}");
}

/// Without the spaces, which French typography changes.
fn plain(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn s15_text_stays_words_in_both_parts_and_in_the_head() {
    let kit = kit();
    let tool = tool(smtp(), &kit);
    for evil in [
        "<script>alert(1)</script>",
        "</td></table></mj-text><mj-raw><img src=x onerror=1></mj-raw>",
        "\"><a href=\"https://evil.example\">x",
        "{{place}} {{{place}}} {{#each days}}",
        "{% raw %} ${x} {{ UnsubscribeURL }}",
        "x\r\nBcc: eve@example.org",
        "<mj-include path=\"/etc/passwd\" />",
        "<!-- --> ]]> &lt;b&gt; &amp;",
        "\u{202e}gpj.exe\u{200b}",
    ] {
        let fields = json!({
            "title": evil, "room": evil, "kind": evil, "start": "2027-01-03T10:00", "end": "2027-01-03T11:00",
            "url": "javascript:alert(1)", "register": format!("https://x.example/\"><script>{evil}"),
        });
        let one = entity(EntityKind::Activity, "evil", fields);
        let task = json!({ "title": evil, "activity": one.id, "capacity": 1 });
        let members = [one, entity(EntityKind::Task, "task", task)];
        let letter = letter(&*tool, &kit, RoundupOf::Week, Lang::Fr, &members).unwrap();
        let (text, html) = parts(&letter);
        for markup in ["<script", "<img", "evil.example\"", "javascript:", "<mj-"] {
            assert!(!html.contains(markup), "{evil}: {markup} in {html}");
        }
        assert_eq!(
            html.matches("<table").count(),
            html.matches("</table>").count()
        );
        assert!(!text.contains("javascript:"), "{text}");
        let words = evil.trim_matches(|c: char| !c.is_alphanumeric());
        if words.is_ascii() && !words.contains(['\r', '<', '"', '&']) {
            assert!(
                plain(&text).contains(&plain(words)),
                "what was written can be read: {text}"
            );
        }
        let sheet = letter.body["sheet"].as_str().unwrap();
        let (head, _) = sheet.split_once("\r\n\r\n").unwrap();
        assert!(
            !head
                .lines()
                .any(|line| line.to_lowercase().starts_with("bcc"))
        );
    }
}

#[test]
fn what_is_nobodys_business_is_in_no_letter() {
    let kit = kit();
    let tool = tool(smtp(), &kit);
    let fields = |visibility: &str, status: &str| {
        json!({
            "title": "canary", "start": "2027-01-03T10:00", "visibility": visibility, "status": status,
            "contact": "canary@example.org", "description": "canary",
        })
    };
    for (visibility, status) in [("internal", "confirmed"), ("public", "draft")] {
        let hidden = entity(EntityKind::Activity, "x", fields(visibility, status));
        let written = letter(&*tool, &kit, RoundupOf::Week, Lang::Fr, &[hidden]);
        assert!(written.is_none(), "a letter that says nothing is none");
    }
    let shown = entity(EntityKind::Activity, "x", fields("public", "confirmed"));
    let letter = letter(&*tool, &kit, RoundupOf::Week, Lang::Fr, &[shown]).unwrap();
    let (text, html) = parts(&letter);
    assert!(!text.contains("canary@") && !html.contains("canary@"));
}

#[test]
fn a_letter_fetches_nothing_when_it_is_opened() {
    let kit = kit();
    let month = letter(
        &*tool(smtp(), &kit),
        &kit,
        RoundupOf::Month,
        Lang::Fr,
        &sample(),
    );
    let (_, html) = parts(&month.unwrap());
    for fetched in ["<img", "@import", "url(", "<link", "src="] {
        assert!(!html.contains(fetched), "{fetched}");
    }
}

#[test]
fn where_nobody_signs_up_on_pages_no_letter_leads_there() {
    let mut kit = kit();
    for has_hands in [true, false] {
        kit.has_hands = has_hands;
        let week = letter(
            &*tool(smtp(), &kit),
            &kit,
            RoundupOf::Week,
            Lang::En,
            &sample(),
        );
        let (text, html) = parts(&week.unwrap());
        assert!(text.contains("people missing"), "{text}");
        for said in [text, html] {
            assert_eq!(said.contains("I can help"), has_hands, "{said}");
            assert_eq!(said.contains("/hands"), has_hands, "{said}");
        }
    }
}

#[test]
fn a_letter_to_a_list_bears_no_link_to_leave_and_says_so_in_other_words() {
    let kit = kit();
    let week = letter(
        &*tool(list(), &kit),
        &kit,
        RoundupOf::Week,
        Lang::Fr,
        &sample(),
    )
    .unwrap();
    let (text, html) = parts(&week);
    assert!(!text.contains("leave.invalid") && !html.contains("leave.invalid"));
    assert!(text.contains("envoyé à cette liste"));
    assert_eq!(week.body["to"], "programme@lists.example.org");
}

#[test]
fn a_places_own_template_is_used_and_its_slips_are_told() {
    let with = |text: Option<&str>| {
        let mut kit = kit();
        let named = [("own.hbs".to_owned(), text.map(str::to_owned))];
        kit.templates = std::sync::Arc::new(named.into());
        let built = (raccord_connector_newsletter::CONNECTOR.build)(smtp(), &kit);
        built.map(drop)
    };
    let own = "<mjml><mj-body><mj-section><mj-column><mj-text>{{heading}}{{#each days}}{{day}}{{/each}}</mj-text></mj-column></mj-section></mj-body></mjml>\n===== text =====\n{{heading}}\n";
    with(Some(own)).unwrap();
    for (text, seen) in [
        (Some("<mjml><mj-body>{{titel}}</mj-body></mjml>"), "titel"),
        (Some("<mjml><mj-body><mj-text>"), "template-faulty"),
        (Some("<p>no MJML</p>"), "template-faulty"),
        (
            Some("<mjml><mj-body><mj-include path=\"/etc/hostname\" /></mj-body></mjml>"),
            "template-faulty",
        ),
        (None, "template-unreadable"),
    ] {
        let findings = with(text).unwrap_err();
        assert!(format!("{findings:?}").contains(seen), "{findings:?}");
        assert!(findings[0].text.fr.contains("own.hbs"));
    }
}

#[test]
fn what_is_too_long_in_a_places_own_template_is_said_in_ours() {
    let twenty = "{{title}} ".repeat(20);
    let own = format!(
        "<mjml><mj-body><mj-section><mj-column>{{{{#each days}}}}{{{{#each items}}}}<mj-text>own {twenty}</mj-text>{{{{/each}}}}{{{{/each}}}}</mj-column></mj-section></mj-body></mjml>\n===== text =====\nown\n"
    );
    let mut kit = kit();
    kit.templates = std::sync::Arc::new([("own.hbs".to_owned(), Some(own))].into());
    let tool = tool(smtp(), &kit);
    let route = json!({ "to": "lettre", "when": {}, "template": "own.hbs" });
    let route: Route = serde_json::from_value(route).unwrap();
    let week = |members: &[_]| {
        let week = letter_by(
            Some(&route),
            &*tool,
            &kit,
            RoundupOf::Week,
            Lang::Fr,
            members,
        );
        parts(&week.unwrap()).0
    };
    assert_eq!(week(&sample()).trim(), "own");
    let long: Vec<_> = (0..12)
        .map(|n| {
            let title = format!("{n} {}", "é".repeat(197));
            let start = format!("2027-01-0{}T10:00", 3 + n % 6);
            let fields = json!({ "title": title, "start": start });
            entity(EntityKind::Activity, &title, fields)
        })
        .collect();
    let said = week(&long);
    for n in 0..12 {
        assert!(said.contains(&format!("{n} é")), "{said}");
    }
}
