//! Ways to write an address where no request may arrive, each of them one that some filter was fooled by: rules 1 to 4 for
//! fetching in OWASP's sheet on server-side request forgery, and the special-purpose registries of IANA. Sends nothing.

/// Hosts of URLs, in the spellings that a parser, a resolver or the kernel turns into an inner address.
const HOSTS: &str = "127.0.0.1 127.1 127.0.1 127.0.0.2 127.255.255.254 0 0.0.0.0 0.0.0.1 0x7f.1 0x7f000001 0x7F.0x0.0x0.0x1 \
    0x7f.0.0.1 2130706433 017700000001 0177.1 0177.0.0.1 0177.0.0.01 00000177.0.0.1 0x7f.0.1 127.000.000.001 127.0.0.1. \
    １２７.０.０.１ 127。0。0。1 127．0．0．1 127｡0｡0｡1 127%2e0%2e0%2e1 %31%32%37.0.0.1 ①②⑦.0.0.1 ⓪x7f.1 \
    localhost LOCALHOST localhost. ｌｏｃａｌｈｏｓｔ ⓛocalhost \
    10.0.0.1 10.1 0xa.0.0.1 0xa000001 012.0.0.1 167772161 172.16.0.1 172.31.255.254 2886729729 0xac.0x10.0.1 192.168.0.1 192.168.1.1 \
    192.168.257 0xc0a80101 3232235777 0300.0250.1.1 169.254.169.254 169.254.170.2 169.254.43518 0xa9fea9fe 2852039166 \
    0251.0376.0251.0376 0xa9.0xfe.0xa9.0xfe 169.254.169.254. １６９.２５４.１６９.２５４ 100.64.0.1 100.100.100.200 192.0.0.192 192.0.0.1 \
    192.0.2.1 192.88.99.1 198.18.0.1 198.51.100.7 203.0.113.7 168.63.129.16 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255 \
    4294967295 0xffffffff [::] [::1] [0:0:0:0:0:0:0:1] [0000::0001] [::127.0.0.1] [::7f00:1] [::ffff:127.0.0.1] [::ffff:7f00:1] \
    [::FFFF:10.0.0.1] [::ffff:169.254.169.254] [::ffff:a9fe:a9fe] [::ffff:c0a8:101] [0:0:0:0:0:ffff:127.0.0.1] [::ffff:0:127.0.0.1] \
    [64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b::a9fe:a9fe] [64:ff9b::10.0.0.1] [64:ff9b:1::7f00:1] [64:ff9b:1::a00:1] \
    [2002:7f00:1::] [2002:7f00:1::1] [2002:a9fe:a9fe::1] [2002:a00:1::1] [2002:c0a8:101::1] [2001:0:7f00:1::] [2001::1] \
    [2001:0:4136:e378:8000:63bf:80ff:fffe] [2001:db8::1] [100::1] [fc00::1] [fd00::1] [fd00:ec2::254] [fd12:3456::1] [fe80::1] \
    [febf::1] [fec0::1] [ff02::1] [5f00::1] [3fff::1]";

/// Whole URLs: other schemes, users, ports, and signs at which parsers disagree on where the host ends.
const URLS: &str = r"file:///etc/passwd FILE:///etc/passwd file://127.0.0.1/etc/passwd ftp://127.0.0.1/x gopher://127.0.0.1:6379/_INFO
    dict://127.0.0.1:6379/info ldap://127.0.0.1/ tftp://127.0.0.1/x sftp://127.0.0.1/ jar:http://127.0.0.1!/x
    data:image/png;base64,AAAA javascript:alert(1) ws://127.0.0.1/ unix:/run/postgresql blob:http://127.0.0.1/x
    view-source:http://127.0.0.1/ netdoc:///etc/passwd //127.0.0.1/x /etc/passwd
    http://user@127.0.0.1/ http://user:pass@good.test/file http://:pass@good.test/file http://good.test@127.0.0.1/
    http://good.test:80@127.0.0.1/ http://8.8.8.8@127.0.0.1/ http://127.0.0.1@good.test/file http://good.test%40127.0.0.1/
    http://127.0.0.1\@good.test/file http://good.test\@127.0.0.1/ http://127.0.0.1#@good.test/file http://127.0.0.1?@good.test/file
    http://127.0.0.1;good.test/file http://127.0.0.1%00.good.test/ http://127.0.0.1%23.good.test/ http://[::1%25lo]/
    http:127.0.0.1/ http:/127.0.0.1/ http:///127.0.0.1/ http:\\127.0.0.1/ http:\/\/127.0.0.1/ hTTp://127.0.0.1/
    http://good.test:22/file http://good.test:8080/file http://good.test:6379/file https://good.test:22/file http://93.184.216.34:8080/file
    http://127.0.0.1:80/ https://127.0.0.1:443/ https://127.0.0.1:80/ http://127.0.0.1:443/ http://[::ffff:7f00:1]:8080/
    http://127.0.0.1:0/ http://127.0.0.1:65536/ http://256.256.256.256/ http://0x100000000/ http://1.2.3.4.5/ http://[::1/ http://./ http://../";

/// Names that lead inside where a name server of ours answers; see `rebinding`.
const NAMES: &str = "inner.test metadata.test both.test two.test six.test mixed.test mapped.test nat64.test ula.test none.test unknown.test \
    127.0.0.1.inner.test INNER.test inner.test. ｉｎｎｅｒ.test inner。test";

/// All URLs that lead where no request may arrive.
pub fn urls() -> Vec<String> {
    let hosts = HOSTS.split_whitespace().chain(NAMES.split_whitespace()).map(|host| format!("http://{host}/file"));
    hosts.chain(URLS.split_whitespace().map(str::to_owned)).collect()
}
