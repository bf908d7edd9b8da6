//! The store in a bucket: the same promises, with URLs that the bucket itself checks. VW_S3S_FS names a program that speaks
//! S3 over a folder (crate s3s-fs, version 0.14.1, feature binary); without it, nothing is tested here.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::json;
use vw_tests::samples::base64;
use vw_tests::service::{ROLE, program};

use super::Studio;

/// The bucket's server, killed when dropped.
struct Bucket(Child, SocketAddr);

impl Drop for Bucket {
    fn drop(&mut self) {
        // Both fail only when the process is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(folder: &std::path::Path) -> Option<Bucket> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback address");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    std::fs::create_dir_all(folder.join("media")).expect("own folder");
    let mut command = Command::new(std::env::var_os("VW_S3S_FS")?);
    command.args(["--access-key", "key", "--secret-key", "secret", "--host", "127.0.0.1", "--port"]);
    command.arg(address.port().to_string()).arg(folder).stdout(Stdio::null()).stderr(Stdio::null());
    let server = Bucket(command.spawn().expect("the server starts"), address);
    while TcpStream::connect(address).is_err() {
        sleep(Duration::from_millis(20));
    }
    Some(server)
}

#[test]
fn a_bucket_keeps_media_and_signs_their_urls() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(Bucket(_, address)) = &serve(folder.path()) else { return };
    let endpoint = format!("http://{address}");
    let place = [
        ("VW_MEDIA_STORE", "s3://media/some/where"),
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_REGION", "us-east-1"),
        ("VW_CONTENT_SECONDS", "2"),
        ("NO_PROXY", "127.0.0.1"),
    ];
    let studio = Studio::open_with(&place);
    let sweep = || {
        studio.database().batch_execute("UPDATE vw.doomed_media SET due_at = now()").expect("as the owner");
        let mut command = program();
        command.args(["media", "sweep"]).env("DATABASE_URL", studio.cluster.address(ROLE, "app")).envs(place);
        assert!(command.stdout(Stdio::null()).status().expect("vw-api starts").success());
    };
    let stored = || super::files_below(&folder.path().join("media/some/where")).len();
    let (taken, _) = studio.kinds();
    assert!(!taken.is_empty(), "this test needs a model that embeds media");
    for sample in &taken {
        let path = studio.collection(sample.kind);
        let bare = format!("{}_base64", sample.kind);
        let items = json!([{"id": "a", &bare: base64(&sample.one)}, {"id": "b", &bare: base64(&sample.other)}]);
        assert_eq!(studio.index(&path, items).status, 200);
        assert_eq!(stored(), 2);
        let items = studio.items(&path);
        let url = items[0]["content_url"].as_str().expect("a URL");
        assert!(url.starts_with(&endpoint), "{url}");
        let content = studio.service.read("GET", url, &[]);
        assert!(content.status == 200 && content.bytes == sample.one, "{url}: {}", content.status);
        assert_eq!(content.header("content-type"), sample.media_type);
        let part = studio.service.read("GET", url, &[("range", "bytes=1-3")]);
        assert!(part.status == 206 && part.bytes == sample.one[1..4], "{}", part.status);
        let unsigned = url.split('?').next().expect("a path");
        assert_eq!(studio.service.read("GET", unsigned, &[]).status, 403, "without a signature");
        let longer = url.replace("X-Amz-Expires=2", "X-Amz-Expires=200");
        assert!(longer != url && studio.service.read("GET", &longer, &[]).status == 403, "with another time");
        sleep(Duration::from_millis(3100));
        assert_eq!(studio.service.read("GET", url, &[]).status, 403, "after its time");
        let gone = studio.send("DELETE", &format!("{path}/items"), json!({"ids": ["a"]}));
        assert_eq!(gone.body["deleted"], json!(1));
        sweep();
        assert_eq!(stored(), 1);
        assert_eq!(studio.send("DELETE", &path, serde_json::Value::Null).status, 200);
        sweep();
        assert_eq!(stored(), 0);
    }
}
