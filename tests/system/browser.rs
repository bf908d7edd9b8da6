//! Guards the console: in a real Chromium, with the real service and engine, by mouse and by keyboard.
//!
//! VW_BROWSER is a folder with playwright-core; screenshots are left there, to be looked at.

use std::path::PathBuf;
use std::process::Command;

use vw_tests::cluster::Cluster;
use vw_tests::service::{Service, key};

/// The browser's program, by its whole path.
fn chromium() -> String {
    let found = Command::new("sh").args(["-c", "command -v chromium"]).output().expect("a shell");
    String::from_utf8_lossy(&found.stdout).trim().to_owned()
}

#[test]
fn the_console_works_in_a_browser() {
    let home =
        PathBuf::from(std::env::var_os("VW_BROWSER").expect("VW_BROWSER must name a folder with playwright-core"));
    let screenshots = home.join("screenshots");
    std::fs::create_dir_all(&screenshots).expect("a folder for screenshots");
    let cluster = Cluster::start("");
    drop(cluster.with_vw("app"));
    let key = key(&cluster, "app", &["create", "--project", "default"]);
    let service = Service::start(&cluster, "app");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/browser/console.mjs");
    let mut node = Command::new("node");
    node.arg(script).arg(service.url("/")).arg(&key).arg(screenshots).arg(chromium()).current_dir(&home);
    let output = node.output().expect("node starts");
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{said}");
    println!("{said}");
}
