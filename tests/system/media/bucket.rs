//! The store in a bucket: the same promises, with URLs that the bucket itself checks. VW_S3S_FS names a program that speaks
//! S3 over a folder (crate s3s-fs, version 0.14.1, feature binary); without it, nothing is tested here.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::json;
use vw_tests::samples::base64;

use super::Studio;

/// The bucket's server over a folder, killed when dropped.
pub struct Bucket {
    child: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl Drop for Bucket {
    fn drop(&mut self) {
        // Both fail only when the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Bucket {
    /// Start a server on a free port; None where there is no program for it.
    pub fn serve(folder: &Path) -> Option<Bucket> {
        std::env::var_os("VW_S3S_FS")?;
        let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback address");
        let address = listener.local_addr().expect("an address");
        drop(listener);
        std::fs::create_dir_all(folder.join("media")).expect("own folder");
        let child = start(address, folder);
        Some(Bucket { child, address, folder: folder.to_owned() })
    }

    /// Kill the server at once.
    pub fn kill(&mut self) {
        self.child.kill().expect("a running server");
        self.child.wait().expect("a child of ours");
    }

    /// Start it again where it was.
    pub fn resume(&mut self) {
        self.child = start(self.address, &self.folder);
    }

    /// Where its objects lie.
    pub fn objects(&self) -> PathBuf {
        self.folder.join("media/some/where")
    }

    fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What tells the service to keep its media here.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let own = |name, value: &str| (name, value.to_owned());
        vec![
            own("VW_MEDIA_STORE", "s3://media/some/where"),
            own("AWS_ENDPOINT_URL", &self.endpoint()),
            own("AWS_ALLOW_HTTP", "true"),
            own("AWS_ACCESS_KEY_ID", "key"),
            own("AWS_SECRET_ACCESS_KEY", "secret"),
            own("AWS_REGION", "us-east-1"),
            own("NO_PROXY", "127.0.0.1"),
        ]
    }
}

/// Start the program and wait until it listens.
fn start(address: SocketAddr, folder: &Path) -> Child {
    let mut command = Command::new(std::env::var_os("VW_S3S_FS").expect("VW_S3S_FS names the program"));
    command.args(["--access-key", "key", "--secret-key", "secret", "--host", "127.0.0.1", "--port"]);
    command.arg(address.port().to_string()).arg(folder).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().expect("the server starts");
    while TcpStream::connect(address).is_err() {
        sleep(Duration::from_millis(20));
    }
    child
}

#[test]
fn a_bucket_keeps_media_and_signs_their_urls() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(bucket) = &Bucket::serve(folder.path()) else { return };
    let (endpoint, mut settings) = (bucket.endpoint(), bucket.settings());
    settings.push(("VW_CONTENT_SECONDS", "2".to_owned()));
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let studio = Studio::open_in(&settings, bucket.objects());
    let stored = || studio.stored().len();
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
        studio.sweep();
        assert_eq!(stored(), 1);
        assert_eq!(studio.send("DELETE", &path, serde_json::Value::Null).status, 200);
        studio.sweep();
        assert_eq!(stored(), 0);
    }
}
