//! What the messages say, in both languages.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{NUMBER, Stage, activity, entity};
use raccord_model::{EntityKind, Lang, Saying, told_of};
use serde_json::json;

#[tokio::test]
async fn each_piece_of_news_has_its_words() {
    let stage = Stage::open().await;
    let mut said = Vec::new();
    for (state, was, now, before) in [
        (
            "registered",
            "registered",
            json!({ "status": "cancelled" }),
            json!({}),
        ),
        ("registered", "waitlisted", json!({}), json!({})),
        ("waitlisted", "registered", json!({}), json!({})),
        (
            "registered",
            "registered",
            json!({}),
            json!({ "status": "cancelled" }),
        ),
        (
            "registered",
            "registered",
            json!({}),
            json!({ "start": "2027-01-16T19:00" }),
        ),
        ("cancelled", "registered", json!({}), json!({})),
        ("attended", "registered", json!({}), json!({})),
    ] {
        let concert = activity(1, &now);
        let mut before = told_of(&activity(1, &before));
        before.insert("state".into(), json!(was));
        let sign_up = entity(EntityKind::Registration, 9, &json!({ "state": state }));
        for lang in [Lang::Fr, Lang::En] {
            let saying = Saying::Mine {
                to: NUMBER,
                registration: &sign_up,
                subject: &concert,
                activity: None,
                before: Some(&before),
                position: Some(1),
                times: 1,
            };
            let text = stage.say(sign_up.id, saying, lang);
            let text = text.map(|desired| desired.body["text"].as_str().unwrap().to_owned());
            let text = text.unwrap_or_else(|| "(nothing)".to_owned());
            said.push(text.replace(" https://lieu.example.org/hands/me", ""));
        }
    }
    assert_eq!(
        said,
        [
            "La Raffinerie: annulé: Concert de jazz, samedi 16 janvier 20 h 30, Cour.",
            "La Raffinerie: cancelled: Concert de jazz, Saturday 16 January 20:30, Cour.",
            "La Raffinerie: une place s'est libérée, elle est à vous: Concert de jazz, samedi 16 janvier 20 h 30, Cour.",
            "La Raffinerie: a place became free, it is yours: Concert de jazz, Saturday 16 January 20:30, Cour.",
            "La Raffinerie: moins de places que prévu, vous passez en liste d'attente: Concert de jazz, samedi 16 janvier 20 h 30, Cour.",
            "La Raffinerie: fewer places than planned, you are on the waiting list: Concert de jazz, Saturday 16 January 20:30, Cour.",
            "La Raffinerie: finalement maintenu: Concert de jazz, samedi 16 janvier 20 h 30, Cour.",
            "La Raffinerie: on again: Concert de jazz, Saturday 16 January 20:30, Cour.",
            "La Raffinerie: changement: Concert de jazz, samedi 16 janvier 20 h 30, Cour.",
            "La Raffinerie: changed: Concert de jazz, Saturday 16 January 20:30, Cour.",
            "La Raffinerie: désinscription notée: Concert de jazz, samedi 16 janvier 20 h 30, Cour.",
            "La Raffinerie: you are not on it any more: Concert de jazz, Saturday 16 January 20:30, Cour.",
            "(nothing)",
            "(nothing)",
        ]
    );
}

#[tokio::test]
async fn a_task_is_told_with_the_hour_of_its_activity_and_what_can_wait_is_not_told() {
    let stage = Stage::open().await;
    let concert = activity(1, &json!({}));
    let task = entity(EntityKind::Task, 2, &json!({ "title": "Tenir le bar" }));
    let saying = Saying::Reminder {
        to: NUMBER,
        name: "",
        subject: &task,
        activity: Some(&concert),
    };
    let desired = stage.say(task.id, saying, Lang::Fr).unwrap();
    assert_eq!(
        desired.text.fr,
        "La Raffinerie: rappel, c'est demain: Tenir le bar, samedi 16 janvier 20 h 30, Cour. https://lieu.example.org/hands/me"
    );
    let liked = Saying::Liked {
        to: NUMBER,
        members: &[concert],
    };
    assert_eq!(stage.say(task.id, liked, Lang::Fr), None);
}
