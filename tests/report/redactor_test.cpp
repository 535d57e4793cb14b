#include "report/redactor.h"

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

namespace photon_dmesg::test {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// Each by a redactor of its own, that knows the host web-1.
void check(const Pairs& pairs) {
  for (const auto& [text, expected] : pairs) {
    Redactor redactor;
    redactor.add_host("web-1");
    CHECK(redactor.redact(text) == expected);
  }
}

void check_unchanged(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) check({{text, text}});
}

TEST_CASE("The guest's name goes wherever it stands, with its domain") {
  check({
      {"web-1 login: x", "<host-1> login: x"},
      {"systemd[1]: Hostname set to <WEB-1>.", "systemd[1]: Hostname set to <<host-1>>."},
      {"at web-1.corp.example.com:22", "at <host-1>:22"},
      {"/vmfs/web-1/web-1-Snapshot1.vmsn", "/vmfs/<host-1>/<host-1>-Snapshot1.vmsn"},
      {"web-1.vmss", "<host-1>.vmss"},
      {"hostname=web-1 quiet", "hostname=<host-1> quiet"},
      {"web-1.debug=1 web-1.token=abc web-1://u:p@x/",
       "<host-1>.debug=1 <host-1>.token=<secret-1> <host-1>://<secret-2>@x/"},
      {"web-10 web-1x xweb-1 web_1", "web-10 web-1x xweb-1 web_1"},
  });
}

TEST_CASE("Hosts that the log introduces are known in all of it") {
  Redactor redactor;
  redactor.learn("systemd[1]: Hostname set to <db-7.example.com>.");
  redactor.learn("nfs: server files.example.com not responding, still trying");
  redactor.learn("Command line: quiet ip=10.0.0.5::10.0.0.1:255.255.255.0:edge-3:eth0:none");
  redactor.learn("nfs: server 10.0.0.9 not responding");
  CHECK(redactor.redact("db-7.example.com mounts files.example.com:/x on edge-3, files stay") ==
        "<host-1> mounts <host-2>:/x on <host-3>, files stay");
}

TEST_CASE("No more hosts are kept than an honest log introduces, and that is told") {
  Redactor redactor;
  for (int i = 0; i < 1000; ++i) {
    redactor.learn("nfs: server host-" + std::to_string(i % 100) + ".example not responding");
  }
  CHECK_FALSE(redactor.missed_names());
  for (int i = 0; i < 10'000; ++i) {
    redactor.learn("nfs: server other-" + std::to_string(i) + ".example not responding");
  }
  CHECK(redactor.missed_names());
  CHECK(redactor.redact("host-99.example other-0.example other-9999.example") ==
        "<host-100> <host-101> other-9999.example");
}

TEST_CASE("A machine's name that is a word of every log is not replaced in texts") {
  Redactor redactor;
  redactor.add_machine("Photon");
  redactor.add_machine("shop");
  CHECK(redactor.redact("VMware Photon OS of shop, shop.debug=1") ==
        "VMware Photon OS of <host-1>, <host-1>.debug=1");
  CHECK(redactor.placeholder(PrivateKind::Host, "Photon") == "<host-2>");
}

TEST_CASE("A name with blanks is replaced whatever its case, and one that says nothing is not") {
  Redactor redactor;
  redactor.add_host("Web server (old)");
  redactor.add_host("localhost");
  redactor.add_host("(none)");
  redactor.add_host("x");
  CHECK(redactor.redact("/vms/Web server (old)/Web server (old).vmss of localhost (none) x") ==
        "/vms/<host-1>/<host-1>.vmss of localhost (none) x");
  CHECK(redactor.redact("WEB SERVER (OLD)2 and web server") == "<host-1>2 and web server");
}

TEST_CASE("Addresses are replaced in every form") {
  check({
      {"from 10.0.0.12:22.", "from <ip-1>:22."},
      {"10.0.0.1-10.0.0.9, 10.0.0.0/8", "<ip-1>-<ip-2>, <ip-3>/8"},
      {"ip=10.0.0.5::10.0.0.1:255.255.255.0:x:eth0:none",
       "ip=<ip-1>::<ip-2>:255.255.255.0:x:eth0:none"},
      {"10.0.0.12-manag", "<ip-1>-manag"},
      {"addr fe80::250:56ff:feab:cdef: up", "addr <ip-1>: up"},
      {"[2001:DB8::1]:443 2001:db8:0::1", "[<ip-1>]:443 <ip-1>"},
      {"ADDR:fd00::5/64 ::ffff:10.0.0.1", "ADDR:<ip-1>/64 <ip-2>"},
      {"eth0: 00:50:56:AB:cd:ef, 00-50-56-ab-cd-ef", "eth0: <mac-1>, <mac-1>"},
      {"enx005056abcdef: renamed", "enx<mac-1>: renamed"},
      {"0050.56ab.cdef", "<mac-1>"},
      {"MAC=ff:ff:ff:ff:ff:ff:00:50:56:c0:00:08:08:00 SRC", "MAC=<mac-1> SRC"},
      {"IP 10.0.0.7.443 > 10.0.0.8.8.1:", "IP <ip-1>.443 > <ip-2>.8.1:"},
      {"7.0.0.10.in-addr.arpa 10.0.0.7.example", "<ip-1>.in-addr.arpa <ip-2>.example"},
      {"10.0.0.5_x 2001:db8::7_x", "<ip-1>_x <ip-2>_x"},
      {"2001:db8:1:2:3:4:5:6:443 2001:db8:1:2:3:4:5:6", "<ip-1>:443 <ip-1>"},
      {"2001:db8::7:http", "<ip-1>:http"},
  });
}

TEST_CASE("What only looks like an address stays") {
  check_unchanged({
      "Linux version 6.1.192-2.ph5 (gcc 12.2.0)",
      "vmxnet3: driver - version 1.7.0.0-k-NAPI",
      "fw 20.5.13.1, rev:1.2.3.4, v1.2.3.4",
      "pci 0000:03:00.0: [15ad:07b0]",
      "scsi 2:0:0:0: Direct-Access",
      "ata1.00: ATA-6, max UDMA/33",
      "rtc_cmos 00:01: setting system clock to 2026-11-29T00:49:08 UTC (1795913348)",
      "RIP: 0010:schedule+0x5e/0xd0 0xffffffff81000010 12:34:56.789",
      "SRC=127.0.0.1 DST=0.0.0.0 255.255.255.255 255.255.255.0 224.0.0.22",
      "listening on [::1]:22, ::, ff02::1, ff02::16",
      "link 00:00:00:00:00:00 ff:ff:ff:ff:ff:ff",
      "1.3.6.1.4.1.311 1.2.3.400",
      "10.0.0.7x 12:34:56:78:9a 1:2:3:4:5:6:7",
      "build-id 3b43fad5034874490492495d552c0af6a5fab235",
      "std::string core::fmt fd::add",
      "[mem 0x00000000000a0000-0x00000000000fffff] 64M@0xc0000000 serial@fe201000",
      "999.1.1.1 1.2.3",
      "ffffffff81a0b0c0 R _text",
  });
}

TEST_CASE("Users are known by their folders and by what logs call them") {
  check({
      {"exe=/home/alice/bin/x /home/bob", "exe=/home/<user-1>/bin/x /home/<user-2>"},
      {"/Users/alice /root/x", "/Users/<user-1> /root/x"},
      {"session opened for user alice(uid=1000)", "session opened for user <user-1>(uid=1000)"},
      {"for user root, user=root USER=alice user=0",
       "for user root, user=root USER=<user-1> user=0"},
      {"Accepted publickey for alice from 10.0.0.1 port 5",
       "Accepted publickey for <user-1> from <ip-1> port 5"},
      {"user=j\xc3\xb6rg USER=\xd0\x96\xd0\xb0\xd0\xbd, x", "user=<user-1> USER=<user-2>, x"},
      {"user=alice@corp.example.com ok, user=alice", "user=<user-1> ok, user=<user-1>"},
      {"user=root@corp.example.com", "user=<email-1>"},
      {"for user \"alice\": x, user='bob'", "for user \"<user-1>\": x, user='<user-2>'"},
      {"{\"user\":\"alice\", \"host\": \"db-9\"} user = bob",
       "{\"user\":\"<user-1>\", \"host\": \"<host-2>\"} user = <user-2>"},
      {"/home//alice/x /home/alice.", "/home//<user-1>/x /home/<user-1>."},
      {"Failed password for invalid user bob from 10.0.0.7",
       "Failed password for invalid user <user-1> from <ip-1>"},
      {"Invalid user bob from x, password for illegal user bob",
       "Invalid user <user-1> from x, password for illegal user <user-1>"},
      {"ruser= rhost=desk.corp.example  user=alice, rhost=10.0.0.1",
       "ruser= rhost=<host-2>  user=<user-1>, rhost=<ip-1>"},
      {"mail to j.doe+x@mail.example.com now", "mail to <email-1> now"},
      {"(root@builder) (gcc", "(<email-1>) (gcc"},
  });
  check_unchanged({"getty@tty1.service user@1000.service modprobe@drm.service",
                   "systemd-fsck@dev-sda1.service", "crashkernel=128M@16M"});
}

TEST_CASE("Numbers of one machine are replaced") {
  check({
      {"root=UUID=6F8F1a2b-0000-4c3d-8e9f-001122334455 ro", "root=UUID=<uuid-1> ro"},
      {"dev-disk-by\\x2duuid-6f8f1a2b\\x2d0000\\x2d4c3d\\x2d8e9f\\x2d001122334455.device",
       "dev-disk-by\\x2duuid-<uuid-1>.device"},
      {"/var/log/journal/0123456789abcdef0123456789abcde0/", "/var/log/journal/<uuid-1>/"},
      {"usb 1-1: SerialNumber: 4C530001230509", "usb 1-1: SerialNumber: <serial-1>"},
      {"Serial Number=\"X 1\", serial=AB12, S/N: 77-Z",
       "Serial Number=\"<serial-1> 1\", serial=<serial-2>, S/N: <serial-3>"},
      {"naa.6000c29f1234567890abcdef12345678", "naa.<serial-1>"},
      {"VMware-56 4d 9f 1a 2b 3c 4d 5e-6f 70 81 92 a3 b4 c5 d6,", "VMware-<serial-1>,"},
  });
  check_unchanged({"Serial: 8250/16550 driver, 4 ports", "serial8250: ttyS0 at I/O 0x3f8",
                   "UUID 00000000-0000"});
}

TEST_CASE("Secrets on command lines are replaced up to their end") {
  check({
      {"password=hun,t;er2 quiet", "password=<secret-1> quiet"},
      {"luks.key=abc vpn_token=abc root_pass=x",
       "luks.key=<secret-1> vpn_token=<secret-1> root_pass=<secret-2>"},
      {"PASSWD=\"two words\" x", "PASSWD=<secret-1> x"},
      {"--password hunter2 --token=t", "--password <secret-1> --token=<secret-2>"},
      {"Authorization: Bearer abc.def.ghi", "Authorization: Bearer <secret-1>"},
      {"inst.ks=https://u:p!w@host/x", "inst.ks=https://<secret-1>@host/x"},
      {"Token: 12ab", "Token: <secret-1>"},
      {"sshkey=a privateKey=b authkey=c privatekey=d",
       "sshkey=<secret-1> privateKey=<secret-2> authkey=<secret-3> privatekey=<secret-4>"},
      {"db_password='it\\'s hunter2' x", "db_password=<secret-1> x"},
      {"pass=\"a\\\\\" b", "pass=<secret-1> b"},
      {"{\"password\":\"hunter2\",\"api_key\": \"a b\"}",
       "{\"password\":<secret-1>,\"api_key\": <secret-2>}"},
      {"password = x, PSK =y", "password = <secret-1> PSK =<secret-2>"},
      {"Authorization: Basic YWxpY2U6aHVudGVyMg==", "Authorization: Basic <secret-1>"},
      {"Proxy-Authorization: abc", "Proxy-Authorization: <secret-1>"},
      {"host=ssh://alice:hunter2@db-9/", "host=ssh://<secret-1>@db-9/"},
  });
  check_unchanged({"monkey=1 hotkey=2 bypass: 2", "key == 5", "Basic block of user.key",
                   "Key type dns_resolver registered", "audit: key: 5", "password= quiet"});
}

TEST_CASE("The same original has the same placeholder, others have others") {
  Redactor redactor;
  CHECK(redactor.redact("10.0.0.1 10.0.0.2") == "<ip-1> <ip-2>");
  CHECK(redactor.redact("10.0.0.2") == "<ip-2>");
  CHECK(redactor.placeholder(PrivateKind::User, "alice") == "<user-1>");
  CHECK(redactor.redact("/home/alice") == "/home/<user-1>");
  CHECK(redactor.placeholder(PrivateKind::User, "").empty());
}

TEST_CASE("Any bytes are redacted, and those that are nothing private are kept") {
  Redactor redactor;
  redactor.add_host("web-1");
  std::string text;
  for (int i = 0; i < 1000; ++i) text += static_cast<char>(i * 37 % 251);
  CHECK(redactor.redact(text).size() > 900);
  for (const char* const piece : {"::", "00:", "1.", "a@", "password=", "--", "/home/", "\\x2d",
                                  "web-1", "web-1.", "VMware-", "naa.", "=", "://", "\"", "ip="}) {
    std::string many;
    for (int i = 0; i < 5000; ++i) many += piece;
    CAPTURE(piece);
    CHECK_FALSE(redactor.redact(many).empty());
  }
}

}  // namespace
}  // namespace photon_dmesg::test
