#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

/// What an address is taken for, in one line.
fn taken(location: &str) -> String {
    match recognise(location) {
        Err(failure) => format!("refused {}", failure.code),
        Ok(address) => shown(&address),
    }
}

fn shown(address: &Address) -> String {
    match address {
        Address::File(target) => format!("file {}", target.url()),
        Address::Google(target) => format!("google {}", target.url()),
        Address::EtherCalc {
            rooms,
            room,
            several,
        } => {
            let kind = if *several { "rooms" } else { "room" };
            format!("{kind} {} {room}", rooms.url())
        }
        Address::Grist {
            document,
            table,
            name,
        } => {
            let table = table.as_deref().unwrap_or("*");
            format!("grist {} {table} {name}", document.url())
        }
        Address::Cloud { server, spot } => format!("cloud {} {spot:?}", server.url()),
    }
}

fn all(list: &[(&str, &str)]) {
    for (location, wanted) in list {
        assert_eq!(taken(location), *wanted, "{location}");
    }
}

#[test]
fn a_sheet_of_google_is_read_as_csv_whatever_its_page() {
    let key = "1AbC-dEf_GhIjKlMnOp";
    let csv = format!("google https://docs.google.com/spreadsheets/d/{key}/export?format=csv");
    for (page, gid) in [
        ("edit", ""),
        ("", ""),
        ("edit?usp=sharing", ""),
        ("edit?gid=0#gid=0", "0"),
        ("edit?gid=12#gid=345", "345"),
        ("edit#gid=345", "345"),
        ("view?gid=7", "7"),
        ("htmlview", ""),
        ("edit?rtpof=true&sd=true&ouid=1#gid=9", "9"),
        ("edit?gid=../../x", ""),
    ] {
        let location = format!("https://docs.google.com/spreadsheets/d/{key}/{page}");
        let gid = if gid.is_empty() {
            String::new()
        } else {
            format!("&gid={gid}")
        };
        assert_eq!(taken(&location), format!("{csv}{gid}"), "{location}");
    }
    all(&[
        (
            "https://docs.google.com/spreadsheets/u/1/d/1AbCdEfGhIjKl/edit#gid=3",
            "google https://docs.google.com/spreadsheets/u/1/d/1AbCdEfGhIjKl/export?format=csv&gid=3",
        ),
        (
            "https://docs.google.com/a/lieu.example/spreadsheets/d/1AbCdEfGhIjKl/edit",
            "google https://docs.google.com/a/lieu.example/spreadsheets/d/1AbCdEfGhIjKl/export?format=csv",
        ),
        (
            "https://docs.google.com/spreadsheets/d/e/2PACX-1vAbCdEf/pubhtml?gid=5&single=true",
            "google https://docs.google.com/spreadsheets/d/e/2PACX-1vAbCdEf/pub?single=true&output=csv&gid=5",
        ),
        (
            "https://docs.google.com/spreadsheets/d/e/2PACX-1vAbCdEf/pub?output=csv",
            "google https://docs.google.com/spreadsheets/d/e/2PACX-1vAbCdEf/pub?output=csv",
        ),
        (
            "https://docs.google.com/spreadsheets/d/1AbCdEfGhIjKl/export?format=xlsx",
            "google https://docs.google.com/spreadsheets/d/1AbCdEfGhIjKl/export?format=xlsx",
        ),
        (
            "https://docs.google.com/document/d/1AbCdEfGhIjKl/edit",
            "refused spreadsheet.address",
        ),
        (
            "https://docs.google.com/forms/d/e/1FAIpQLSabcdef/viewform",
            "refused spreadsheet.address",
        ),
        (
            "https://drive.google.com/file/d/1AbCdEfGhIjKl/view?usp=sharing",
            "refused spreadsheet.address",
        ),
    ]);
}

#[test]
fn a_room_is_found_by_its_page_or_by_what_its_server_hands_out() {
    all(&[
        (
            "https://lite.framacalc.org/programme-2027",
            "room https://lite.framacalc.org/_/ programme-2027",
        ),
        (
            "https://lite.framacalc.org/programme-2027.csv",
            "room https://lite.framacalc.org/_/ programme-2027",
        ),
        (
            "https://ethercalc.net/=lieu%20d%27été",
            "rooms https://ethercalc.net/_/ lieu%20d%27%C3%A9t%C3%A9",
        ),
        (
            "https://calc.example.org/_/programme/csv.json",
            "room https://calc.example.org/_/ programme",
        ),
        (
            "https://lieu.example.org/calc/_/programme",
            "room https://lieu.example.org/calc/_/ programme",
        ),
        (
            "https://calc.example.org/=programme",
            "rooms https://calc.example.org/_/ programme",
        ),
        (
            "https://ethercalc.example.org/programme/edit",
            "room https://ethercalc.example.org/_/ programme",
        ),
        // The service's own pages, and nothing at all.
        (
            "https://framacalc.org/abc/fr/",
            "file https://framacalc.org/abc/fr/",
        ),
        (
            "https://ethercalc.net/_start",
            "file https://ethercalc.net/_start",
        ),
        ("https://ethercalc.net/", "file https://ethercalc.net/"),
    ]);
}

#[test]
fn a_document_of_grist_is_found_by_its_page_or_its_programming_address() {
    all(&[
        (
            "https://docs.getgrist.com/sXsBGDTKau1F/Programme/p/3#a1.s2",
            "grist https://docs.getgrist.com/api/docs/sXsBGDTKau1F/ * sXsBGDTKau1F",
        ),
        (
            "https://lieu.getgrist.com/doc/programme",
            "grist https://lieu.getgrist.com/api/docs/programme/ * programme",
        ),
        (
            "https://grist.example.org/o/lieu/sXsBGDTKau1F/Programme/p/2",
            "grist https://grist.example.org/o/lieu/api/docs/sXsBGDTKau1F/ * sXsBGDTKau1F",
        ),
        (
            "https://grist.example.org/api/docs/sXsBGDTKau1FqpgxAbCdEf/tables/Programme/records",
            "grist https://grist.example.org/api/docs/sXsBGDTKau1FqpgxAbCdEf/ Programme sXsBGDTKau1F",
        ),
        (
            "https://grist.example.org/o/lieu/api/docs/sXsBGDTKau1F",
            "grist https://grist.example.org/o/lieu/api/docs/sXsBGDTKau1F/ * sXsBGDTKau1F",
        ),
        (
            "https://docs.getgrist.com/s/6aKNsmVgqfBw",
            "grist https://docs.getgrist.com/api/docs/s.6aKNsmVgqfBw/ * s.6aKNsmVgqf",
        ),
        (
            "https://docs.getgrist.com/forms/6aKNsmVgqfBw/4",
            "refused spreadsheet.address",
        ),
    ]);
}

#[test]
fn a_file_of_nextcloud_is_found_by_whatever_a_page_of_it_shows() {
    let share = |inside: &str| {
        format!(
            "cloud https://nuage.example.org/ Share {{ token: \"ErFS6Q2BmmJqeQz\", inside: {inside} }}"
        )
    };
    let number = "cloud https://nuage.example.org/ Number(\"12345\")".to_owned();
    let path = |path: &str| format!("cloud https://nuage.example.org/ Path({path:?})");
    let at = |rest: &str| format!("https://nuage.example.org{rest}");
    for (rest, wanted) in [
        ("/f/12345", number.clone()),
        ("/index.php/f/12345", number.clone()),
        (
            "/apps/files/?dir=/Programmation&fileid=12345",
            number.clone(),
        ),
        (
            "/apps/files/files/12345?dir=/Programmation&openfile=true",
            number.clone(),
        ),
        (
            "/index.php/apps/files/files/12345?dir=/&editing=false",
            number.clone(),
        ),
        ("/apps/richdocuments/index?fileId=12345", number.clone()),
        ("/apps/onlyoffice/12345?filePath=%2Fp.xlsx", number),
        (
            "/apps/files/?dir=/Programmation",
            "refused spreadsheet.address".to_owned(),
        ),
        (
            "/index.php/apps/dashboard/",
            "refused spreadsheet.address".to_owned(),
        ),
        (
            "/remote.php/dav/files/marie/Programmation%20d%27%C3%A9t%C3%A9/programme%20no%c3%abl.ods",
            path("/remote.php/dav/files/marie/Programmation d'été/programme noël.ods"),
        ),
        (
            "/remote.php/dav/files/marie/Programmation/",
            path("/remote.php/dav/files/marie/Programmation"),
        ),
        ("/remote.php/webdav/p.csv", path("/remote.php/webdav/p.csv")),
        (
            "/remote.php/dav/calendars/marie/lieu/",
            "refused spreadsheet.address".to_owned(),
        ),
        ("/s/ErFS6Q2BmmJqeQz", share("None")),
        ("/index.php/s/ErFS6Q2BmmJqeQz", share("None")),
        ("/s/ErFS6Q2BmmJqeQz/download", share("None")),
        ("/s/ErFS6Q2BmmJqeQz/download/programme.ods", share("None")),
        ("/s/ErFS6Q2BmmJqeQz?dir=/", share("None")),
        (
            "/s/ErFS6Q2BmmJqeQz?dir=/janvier",
            share("Some(\"/janvier\")"),
        ),
        (
            "/s/ErFS6Q2BmmJqeQz/download?path=%2Fjanvier&files=programme%20no%C3%ABl.ods",
            share("Some(\"/janvier/programme noël.ods\")"),
        ),
        ("/s/ErFS6Q2BmmJqeQz?dir=/../../x", share("None")),
        ("/public.php/dav/files/ErFS6Q2BmmJqeQz/", share("None")),
        (
            "/public.php/dav/files/ErFS6Q2BmmJqeQz/p.ods",
            share("Some(\"/p.ods\")"),
        ),
    ] {
        assert_eq!(taken(&at(rest)), wanted, "{rest}");
    }
    all(&[
        (
            "https://example.org/cloud/index.php/s/ErFS6Q2BmmJqeQz",
            "cloud https://example.org/cloud/ Share { token: \"ErFS6Q2BmmJqeQz\", inside: None }",
        ),
        (
            "https://example.org/cloud/remote.php/dav/files/marie/p.ods",
            "cloud https://example.org/cloud/ Path(\"/cloud/remote.php/dav/files/marie/p.ods\")",
        ),
    ]);
}

#[test]
fn any_other_address_is_the_file_that_stands_there() {
    for location in [
        "https://example.org/programme.csv",
        "https://example.org/files/programme.ods?version=2",
        "https://example.org/s/programme.csv",
        "https://example.org/apps/programme.csv",
        "https://example.org/doc/programme.csv",
        "http://192.168.1.4:8080/p.csv",
    ] {
        assert_eq!(taken(location), format!("file {location}"));
    }
    for wrong in [
        "https://",
        "https://user:word@example.org/p.csv",
        "http:// x/",
    ] {
        assert_eq!(taken(wrong), "refused settings.address", "{wrong}");
    }
}

#[test]
fn a_page_says_whose_it_is() {
    let page = |location: &str, page: &str| {
        let target = Target::configured("location", location).unwrap();
        of_page(&target, page.as_bytes()).map(|address| shown(&address))
    };
    let ethercalc = "<!DOCTYPE html><html><title>EtherCalc - Share the URL</title>";
    assert_eq!(
        page("https://calc.example.org/programme", ethercalc).unwrap(),
        "room https://calc.example.org/_/ programme"
    );
    let grist = "<html><script>window.gristConfig = {};</script>";
    assert_eq!(
        page(
            "https://tables.example.org/sXsBGDTKau1F/Programme/p/2",
            grist
        )
        .unwrap(),
        "grist https://tables.example.org/api/docs/sXsBGDTKau1F/ * sXsBGDTKau1F"
    );
    assert_eq!(page("https://example.org/programme", "<html>Bonjour"), None);
    assert_eq!(page("https://calc.example.org/", ethercalc), None);
}

proptest! {
    /// Whatever is pasted, what is made of it stays with the host that was pasted, and panics never.
    #[test]
    fn an_address_never_leads_to_another_host(
        parts in prop::collection::vec("[a-zA-Z0-9=_.~%-]{0,14}|s|f|o|d|e|u|_|doc|api|docs|apps|files|spreadsheets|remote.php|public.php|index.php|dav|webdav|tables|\\.\\.|//evil\\.example", 0..9),
        query in "[a-z0-9=&/.%#]{0,30}",
    ) {
        let location = format!("https://lieu.example/{}?{query}", parts.join("/"));
        if let Ok(address) = recognise(&location) {
            prop_assert_eq!(address.host(), "lieu.example");
            if let Address::EtherCalc { rooms, room, .. } = &address {
                let room = rooms.join(&format!("./{room}")).unwrap();
                prop_assert_eq!(room.host(), "lieu.example");
                prop_assert!(room.url().path().starts_with(rooms.url().path()));
            }
        }
    }

    #[test]
    fn no_text_is_too_odd_to_be_pasted(location in "\\PC{0,80}") {
        for pasted in [location.clone(), format!("https://docs.google.com/{location}")] {
            if let Err(failure) = recognise(&pasted) {
                prop_assert!(!failure.mend.fr.is_empty());
            }
        }
    }
}
