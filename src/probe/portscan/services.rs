//! Which service usually has a port, and which ports are worth asking first.
//!
//! Names and numbers are those of IANA's registry (RFC 6335), and in the second part those that everybody uses without
//! being registered. The order of the most frequent ones is common knowledge among those who scan.

use super::report::Proto;

/// The transport protocols of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    Tcp,
    Udp,
    Both,
}
use Over::{Both, Tcp, Udp};

impl Over {
    const fn has(self, proto: Proto) -> bool {
        !matches!((self, proto), (Self::Tcp, Proto::Udp) | (Self::Udp, Proto::Tcp))
    }
}

/// By port.
#[rustfmt::skip]
const SERVICES: &[(u16, Over, &str)] = &[
    (1, Tcp, "tcpmux"), (7, Both, "echo"), (9, Both, "discard"), (11, Tcp, "systat"), (13, Both, "daytime"),
    (17, Both, "qotd"), (19, Both, "chargen"), (20, Tcp, "ftp-data"), (21, Tcp, "ftp"), (22, Tcp, "ssh"),
    (23, Tcp, "telnet"), (25, Tcp, "smtp"), (37, Both, "time"), (42, Both, "nameserver"), (43, Tcp, "whois"),
    (49, Both, "tacacs"), (53, Both, "domain"), (67, Udp, "dhcps"), (68, Udp, "dhcpc"), (69, Udp, "tftp"),
    (70, Tcp, "gopher"), (79, Tcp, "finger"), (80, Tcp, "http"), (81, Tcp, "http-alt"), (88, Both, "kerberos"),
    (102, Tcp, "iso-tsap"), (106, Tcp, "pop3pw"), (109, Tcp, "pop2"), (110, Tcp, "pop3"), (111, Both, "rpcbind"),
    (113, Tcp, "ident"), (119, Tcp, "nntp"), (123, Udp, "ntp"), (135, Both, "msrpc"), (136, Udp, "profile"),
    (137, Both, "netbios-ns"), (138, Udp, "netbios-dgm"), (139, Tcp, "netbios-ssn"), (143, Tcp, "imap"),
    (161, Both, "snmp"), (162, Both, "snmptrap"), (177, Both, "xdmcp"), (179, Tcp, "bgp"), (194, Tcp, "irc"),
    (199, Tcp, "smux"), (201, Tcp, "at-rtmp"), (213, Both, "ipx"), (220, Tcp, "imap3"), (259, Tcp, "esro-gen"),
    (264, Tcp, "bgmp"), (311, Tcp, "asip-webadmin"), (318, Tcp, "pkix-timestamp"), (319, Udp, "ptp-event"),
    (320, Udp, "ptp-general"), (363, Both, "rsvp-tunnel"), (366, Tcp, "odmr"), (389, Both, "ldap"),
    (401, Tcp, "ups"), (407, Both, "timbuktu"), (427, Both, "svrloc"), (434, Udp, "mobileip-agent"),
    (443, Both, "https"), (444, Tcp, "snpp"), (445, Both, "microsoft-ds"), (464, Both, "kpasswd"),
    (465, Tcp, "submissions"), (497, Both, "retrospect"), (500, Udp, "isakmp"), (502, Tcp, "modbus"),
    (512, Tcp, "exec"), (513, Tcp, "login"), (514, Tcp, "shell"), (514, Udp, "syslog"), (515, Tcp, "printer"),
    (517, Udp, "talk"), (518, Udp, "ntalk"), (520, Udp, "route"), (521, Udp, "ripng"), (524, Tcp, "ncp"),
    (540, Tcp, "uucp"), (543, Tcp, "klogin"), (544, Tcp, "kshell"), (546, Udp, "dhcpv6-client"),
    (547, Udp, "dhcpv6-server"), (548, Tcp, "afp"), (554, Both, "rtsp"), (563, Tcp, "nntps"),
    (587, Tcp, "submission"), (593, Tcp, "http-rpc-epmap"), (601, Tcp, "syslog-conn"), (623, Udp, "asf-rmcp"),
    (626, Udp, "serialnumberd"), (631, Both, "ipp"), (636, Tcp, "ldaps"), (639, Tcp, "msdp"), (646, Both, "ldp"),
    (647, Tcp, "dhcp-failover"), (648, Tcp, "rrp"), (660, Tcp, "mac-srvr-admin"), (674, Tcp, "acap"),
    (694, Udp, "ha-cluster"), (700, Tcp, "epp"), (749, Tcp, "kerberos-adm"), (750, Udp, "kerberos-iv"),
    (751, Tcp, "kerberos-master"), (783, Tcp, "spamassassin"), (808, Tcp, "ccproxy-http"), (830, Tcp, "netconf-ssh"),
    (847, Tcp, "dhcp-failover2"), (853, Both, "domain-s"), (860, Tcp, "iscsi"), (862, Both, "twamp"),
    (873, Tcp, "rsync"), (902, Tcp, "vmware-auth"), (953, Tcp, "rndc"), (989, Tcp, "ftps-data"), (990, Tcp, "ftps"),
    (992, Tcp, "telnets"), (993, Tcp, "imaps"), (994, Tcp, "ircs"), (995, Tcp, "pop3s"), (1080, Tcp, "socks"),
    (1099, Tcp, "rmiregistry"), (1194, Both, "openvpn"), (1214, Tcp, "kazaa"), (1241, Tcp, "nessus"),
    (1311, Tcp, "dell-openmanage"), (1352, Tcp, "lotusnotes"), (1433, Tcp, "ms-sql-s"), (1434, Udp, "ms-sql-m"),
    (1494, Tcp, "citrix-ica"), (1512, Both, "wins"), (1521, Tcp, "oracle"), (1524, Tcp, "ingreslock"),
    (1645, Udp, "radius"), (1646, Udp, "radacct"), (1701, Udp, "l2tp"), (1718, Udp, "h323gatedisc"),
    (1719, Udp, "h323gatestat"), (1720, Tcp, "h323hostcall"), (1723, Tcp, "pptp"), (1755, Tcp, "wms"),
    (1812, Udp, "radius"), (1813, Udp, "radacct"), (1863, Tcp, "msnp"), (1883, Tcp, "mqtt"), (1900, Both, "ssdp"),
    (1935, Tcp, "rtmp"), (1985, Udp, "hsrp"), (2000, Tcp, "cisco-sccp"), (2000, Udp, "waddleperf"), (2049, Both, "nfs"),
    (2082, Tcp, "cpanel"), (2083, Tcp, "radsec"), (2086, Tcp, "gnunet"), (2087, Tcp, "whm"), (2121, Tcp, "ccproxy-ftp"),
    (2181, Tcp, "zookeeper"), (2222, Tcp, "ssh-alt"), (2375, Tcp, "docker"), (2376, Tcp, "docker-s"),
    (2377, Tcp, "swarm"), (2379, Tcp, "etcd-client"), (2380, Tcp, "etcd-server"), (2404, Tcp, "iec-104"),
    (2483, Tcp, "oracle-tns"), (2484, Tcp, "oracle-tns-s"), (2600, Tcp, "zebrasrv"), (2601, Tcp, "zebra"),
    (2605, Tcp, "bgpd"), (2628, Tcp, "dict"), (2638, Tcp, "sybase"), (2717, Tcp, "pn-requester"), (2947, Tcp, "gpsd"),
    (3000, Tcp, "http-dev"), (3128, Tcp, "squid-http"), (3260, Tcp, "iscsi-target"), (3268, Tcp, "globalcat-ldap"),
    (3269, Tcp, "globalcat-ldaps"), (3283, Udp, "netassistant"), (3306, Tcp, "mysql"), (3389, Both, "ms-wbt-server"),
    (3456, Udp, "vat"), (3478, Both, "stun"), (3493, Tcp, "nut"), (3632, Tcp, "distccd"), (3689, Tcp, "daap"),
    (3690, Tcp, "svn"), (3702, Udp, "ws-discovery"), (3784, Udp, "bfd-control"), (3785, Udp, "bfd-echo"),
    (3868, Tcp, "diameter"), (3986, Tcp, "mapper-ws"), (4000, Tcp, "remoteanything"), (4369, Tcp, "epmd"),
    (4443, Tcp, "https-alt"), (4500, Udp, "nat-t-ike"), (4505, Tcp, "salt-publish"), (4506, Tcp, "salt-return"),
    (4647, Tcp, "nomad-rpc"), (4739, Both, "ipfix"), (4789, Udp, "vxlan"), (4840, Tcp, "opcua-tcp"),
    (4848, Tcp, "glassfish-admin"), (4899, Tcp, "radmin"), (5000, Tcp, "upnp"), (5001, Both, "iperf"),
    (5004, Both, "rtp"), (5005, Both, "rtcp"), (5009, Tcp, "airport-admin"), (5050, Tcp, "mmcc"), (5051, Tcp, "ida-agent"),
    (5060, Both, "sip"), (5061, Both, "sips"), (5100, Tcp, "admd"), (5101, Tcp, "admdog"), (5190, Tcp, "aol"),
    (5201, Both, "iperf3"), (5222, Tcp, "xmpp-client"), (5223, Tcp, "xmpp-client-s"), (5246, Udp, "capwap-control"),
    (5247, Udp, "capwap-data"), (5269, Tcp, "xmpp-server"), (5349, Both, "stuns"), (5351, Udp, "nat-pmp"),
    (5353, Udp, "mdns"), (5355, Both, "llmnr"), (5357, Tcp, "wsdapi"), (5432, Tcp, "postgresql"),
    (5555, Tcp, "adb"), (5601, Tcp, "kibana"), (5631, Tcp, "pcanywheredata"), (5632, Udp, "pcanywherestat"),
    (5666, Tcp, "nrpe"), (5671, Tcp, "amqps"), (5672, Tcp, "amqp"), (5683, Udp, "coap"), (5684, Udp, "coaps"),
    (5800, Tcp, "vnc-http"), (5900, Tcp, "vnc"), (5901, Tcp, "vnc-1"), (5938, Tcp, "teamviewer"), (5984, Tcp, "couchdb"),
    (5985, Tcp, "wsman"), (5986, Tcp, "wsmans"), (6000, Tcp, "x11"), (6001, Tcp, "x11-1"), (6081, Udp, "geneve"),
    (6343, Udp, "sflow"), (6346, Both, "gnutella"), (6379, Tcp, "redis"), (6443, Tcp, "kube-apiserver"),
    (6514, Both, "syslog-tls"), (6556, Tcp, "checkmk-agent"), (6566, Tcp, "sane"), (6633, Tcp, "openflow-old"),
    (6653, Tcp, "openflow"), (6660, Tcp, "irc-6660"), (6667, Tcp, "ircd"),
    (6697, Tcp, "ircs-u"), (6881, Both, "bittorrent"), (7000, Tcp, "afs3-fileserver"), (7001, Tcp, "weblogic"),
    (7070, Tcp, "realserver"), (7199, Tcp, "cassandra-jmx"), (7474, Tcp, "neo4j"), (7547, Tcp, "cwmp"),
    (7777, Tcp, "cbt"), (8000, Tcp, "http-alt"), (8008, Tcp, "http-8008"), (8009, Tcp, "ajp13"), (8080, Tcp, "http-proxy"),
    (8081, Tcp, "http-8081"), (8086, Tcp, "influxdb"), (8088, Tcp, "radan-http"), (8123, Tcp, "home-assistant"),
    (8140, Tcp, "puppet"), (8172, Tcp, "msdeploy"), (8200, Tcp, "vault"), (8291, Tcp, "winbox"), (8300, Tcp, "consul-rpc"),
    (8333, Tcp, "bitcoin"), (8443, Tcp, "https-alt"), (8472, Udp, "otv"), (8500, Tcp, "consul"), (8530, Tcp, "wsus"),
    (8728, Tcp, "mikrotik-api"), (8834, Tcp, "nessus-web"), (8883, Tcp, "secure-mqtt"), (8888, Tcp, "http-8888"),
    (9000, Tcp, "cslistener"), (9001, Tcp, "tor-orport"), (9042, Tcp, "cassandra"), (9050, Tcp, "tor-socks"),
    (9090, Tcp, "prometheus"), (9092, Tcp, "kafka"), (9093, Tcp, "alertmanager"), (9100, Tcp, "jetdirect"),
    (9160, Tcp, "cassandra-thrift"), (9200, Tcp, "elasticsearch"), (9300, Tcp, "elasticsearch-node"),
    (9389, Tcp, "adws"), (9418, Tcp, "git"), (9443, Tcp, "tungsten-https"), (9993, Udp, "zerotier"),
    (9999, Tcp, "abyss"), (10000, Tcp, "webmin"), (10050, Tcp, "zabbix-agent"), (10051, Tcp, "zabbix-trapper"),
    (10161, Both, "snmps"), (10250, Tcp, "kubelet"), (10256, Tcp, "kube-proxy"), (11211, Both, "memcache"),
    (11371, Tcp, "hkp"), (13720, Tcp, "netbackup"), (15672, Tcp, "rabbitmq-web"), (16992, Tcp, "amt-http"),
    (16993, Tcp, "amt-https"), (17500, Udp, "dropbox-lansync"), (19132, Udp, "minecraft-bedrock"), (20000, Both, "dnp3"),
    (22000, Both, "syncthing"), (25565, Tcp, "minecraft"), (25826, Udp, "collectd"), (27015, Both, "srcds"),
    (27017, Tcp, "mongodb"), (27018, Tcp, "mongodb-shard"), (28015, Tcp, "rethinkdb"), (32400, Tcp, "plex"),
    (32768, Tcp, "filenet-tms"), (33060, Tcp, "mysqlx"), (33434, Udp, "traceroute"), (34567, Tcp, "dhanalakshmi"),
    (37777, Tcp, "dahua-dvr"), (41641, Udp, "tailscale"), (44818, Both, "ethernet-ip"), (47808, Udp, "bacnet"),
    (50000, Tcp, "ibm-db2"), (50070, Tcp, "hdfs-namenode"), (51820, Udp, "wireguard"),
    (61616, Tcp, "activemq"), (64738, Both, "mumble"),
];

/// The hundred TCP ports that are open most often in the Internet, the most frequent first.
#[rustfmt::skip]
const FREQUENT_TCP: [u16; 100] = [
    80, 23, 443, 21, 22, 25, 3389, 110, 445, 139, 143, 53, 135, 3306, 8080, 1723, 111, 995, 993, 5900,
    1025, 587, 8888, 199, 1720, 465, 548, 113, 81, 6001, 10000, 514, 5060, 179, 1026, 2000, 8443, 8000, 32768, 554,
    26, 1433, 49152, 2001, 515, 8008, 49154, 1027, 5666, 646, 5000, 5631, 631, 49153, 8081, 2049, 88, 79, 5800, 106,
    2121, 1110, 49155, 6000, 513, 990, 5357, 427, 49156, 543, 544, 5101, 144, 7, 389, 8009, 3128, 444, 9999, 5009,
    7070, 5190, 3000, 5432, 1900, 3986, 13, 1029, 9, 5051, 6646, 49157, 1028, 873, 1755, 2717, 4899, 9100, 119, 37,
];

/// The same of UDP.
#[rustfmt::skip]
const FREQUENT_UDP: [u16; 60] = [
    631, 161, 137, 123, 138, 1434, 445, 135, 67, 53, 139, 500, 68, 520, 1900, 4500, 514, 49152, 162, 69,
    5353, 111, 49154, 1701, 998, 996, 997, 999, 3283, 49153, 1812, 136, 2222, 2049, 3478, 5060, 1025, 1433, 3456, 80,
    443, 1194, 1645, 3702, 5683, 11211, 51820, 47808, 623, 177, 389, 19, 7, 2000, 862, 5351, 5355, 6343, 4789, 17185,
];

/// What usually listens at `port`.
pub(super) fn name(proto: Proto, port: u16) -> Option<&'static str> {
    let start = SERVICES.partition_point(|service| service.0 < port);
    let here = SERVICES[start..].iter().take_while(|service| service.0 == port);
    here.filter(|service| service.1.has(proto)).map(|service| service.2).next()
}

/// The ports whose service has a name like `pattern` (`http*`), in ascending order.
pub(super) fn ports_named(proto: Proto, pattern: &str) -> Vec<u16> {
    let like = |service: &&(u16, Over, &str)| {
        service.1.has(proto) && matches(pattern.as_bytes(), service.2.as_bytes())
    };
    SERVICES.iter().filter(like).map(|service| service.0).collect()
}

/// The `count` ports that are worth asking most, the most frequent first: those known to be frequent, those with a
/// service, the privileged ones, then all others.
pub(super) fn top(proto: Proto, count: usize) -> Vec<u16> {
    let frequent = match proto {
        Proto::Tcp => &FREQUENT_TCP[..],
        Proto::Udp => &FREQUENT_UDP[..],
    };
    let served = SERVICES.iter().filter(|service| service.1.has(proto)).map(|service| service.0);
    let mut seen = vec![false; 1 << 16];
    let all = frequent.iter().copied().chain(served).chain(1..=u16::MAX);
    all.filter(|&port| !std::mem::replace(&mut seen[usize::from(port)], true)).take(count).collect()
}

/// Whether `text` is like `pattern`, in which `*` stands for anything and `?` for one character. Case does not matter.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut in_text, mut star) = (0, 0, None);
    while in_text < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, in_text));
                at += 1;
            }
            Some(c) if *c == b'?' || c.eq_ignore_ascii_case(&text[in_text]) => {
                (at, in_text) = (at + 1, in_text + 1)
            }
            _ => {
                // The last star takes one character more.
                let Some((place, taken)) = star else { return false };
                star = Some((place, taken + 1));
                (at, in_text) = (place + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|&c| c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_names_each_port_once() {
        for pair in SERVICES.windows(2) {
            assert!(pair[0].0 <= pair[1].0, "{pair:?}");
            let clash = pair[0].0 == pair[1].0
                && [Proto::Tcp, Proto::Udp].iter().any(|&p| pair[0].1.has(p) && pair[1].1.has(p));
            assert!(!clash, "{pair:?}");
        }
        assert!(SERVICES.len() > 250);
    }

    #[test]
    fn a_port_has_the_name_of_its_protocol() {
        for (proto, port, expected) in [
            (Proto::Tcp, 22, Some("ssh")),
            (Proto::Udp, 22, None),
            (Proto::Tcp, 514, Some("shell")),
            (Proto::Udp, 514, Some("syslog")),
            (Proto::Tcp, 65_535, None),
            (Proto::Udp, 1, None),
        ] {
            assert_eq!(name(proto, port), expected, "{proto:?} {port}");
        }
    }

    #[test]
    fn the_top_is_a_ranking_of_all_ports() {
        for proto in [Proto::Tcp, Proto::Udp] {
            let all = top(proto, 70_000);
            assert_eq!(all.len(), 65_535, "each once, and not 0");
            assert_eq!(top(proto, 10), all[..10]);
        }
        assert_eq!(top(Proto::Tcp, 5), [80, 23, 443, 21, 22]);
    }

    #[test]
    fn names_are_matched_as_a_shell_does() {
        for (pattern, text, expected) in [
            ("http*", "https", true),
            ("http", "https", false),
            ("*http*", "vnc-http", true),
            ("?ttp", "http", true),
            ("*", "", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("SSH", "ssh", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
        assert!(ports_named(Proto::Tcp, "http*").contains(&80));
    }
}
