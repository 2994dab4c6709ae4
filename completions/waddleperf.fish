# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_waddleperf_global_optspecs
    string join \n config= data= v/verbose h/help V/version
end

function __fish_waddleperf_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_waddleperf_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_waddleperf_using_subcommand
    set -l cmd (__fish_waddleperf_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c waddleperf -n "__fish_waddleperf_needs_command" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_needs_command" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_needs_command" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_needs_command" -s h -l help -d 'Print help'
complete -c waddleperf -n "__fish_waddleperf_needs_command" -s V -l version -d 'Print version'
complete -c waddleperf -n "__fish_waddleperf_needs_command" -f -a "ping" -d 'Round-trip time and loss of one target or of many'
complete -c waddleperf -n "__fish_waddleperf_needs_command" -f -a "udpping" -d 'Round-trip time, loss by direction and one-way delay over UDP'
complete -c waddleperf -n "__fish_waddleperf_needs_command" -f -a "mtr" -d 'The hops to a target: who answers, how fast, and where packets are lost'
complete -c waddleperf -n "__fish_waddleperf_needs_command" -f -a "mtu" -d 'Path MTU, black holes, and who is to blame'
complete -c waddleperf -n "__fish_waddleperf_needs_command" -f -a "portscan" -d 'Open, closed and filtered ports, and who says so'
complete -c waddleperf -n "__fish_waddleperf_needs_command" -f -a "resolvertime" -d 'How long resolvers take, which is faster, and whether what they say is true'
complete -c waddleperf -n "__fish_waddleperf_needs_command" -f -a "httptrace" -d 'What an answer of HTTP takes: DNS, TCP, TLS, first byte, transfer'
complete -c waddleperf -n "__fish_waddleperf_needs_command" -f -a "tls" -d 'Certificates, names, expiry, versions and suites of a TLS server'
complete -c waddleperf -n "__fish_waddleperf_needs_command" -f -a "sshping" -d 'How SSH logs in, echoes and transfers'
complete -c waddleperf -n "__fish_waddleperf_needs_command" -f -a "bandwidth" -d 'How much goes through over TCP or UDP, by iperf3\'s protocol, and what limits it'
complete -c waddleperf -n "__fish_waddleperf_needs_command" -f -a "capture" -d 'Capture packets of a host, or sum up a file of them'
complete -c waddleperf -n "__fish_waddleperf_needs_command" -f -a "sysinfo" -d 'The state of this host that explains a bad network'
complete -c waddleperf -n "__fish_waddleperf_needs_command" -f -a "serve" -d 'Run the test server'
complete -c waddleperf -n "__fish_waddleperf_needs_command" -f -a "autoperf" -d 'Measure the configured targets, and look closer where something is wrong'
complete -c waddleperf -n "__fish_waddleperf_needs_command" -f -a "results" -d 'List, show, export, import, sum up and remove what was kept'
complete -c waddleperf -n "__fish_waddleperf_needs_command" -f -a "geoip" -d 'Where addresses belong, by databases on this host'
complete -c waddleperf -n "__fish_waddleperf_needs_command" -f -a "health" -d 'Say whether the server is well'
complete -c waddleperf -n "__fish_waddleperf_needs_command" -f -a "config" -d 'Check the configuration, or print what is in force'
complete -c waddleperf -n "__fish_waddleperf_needs_command" -f -a "setup" -d 'Links, manual pages, completions, a sample configuration'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -l mode -d 'What is sent, and what counts as a reply [default: icmp, with --port tcp]' -r -f -a "icmp\t'ICMP echo (RFC 792, RFC 4443)'
tcp\t'A TCP connection: the time from SYN to SYN-ACK, or to RST'
tls\t'A TLS handshake, after the connection. The certificate is not judged'
http\t'HEAD over a connection that is kept (HTTP/1.1)'
quic\t'QUIC version negotiation (RFC 9000 §6)'
dns\t'A DNS query over UDP; whatever the answer, it is a reply'"
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -l port -d 'Port, and --mode tcp where no mode is given [default: tcp and http 80, tls, https and quic 443, dns 53]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -l name -d 'Name that a DNS server is asked for (its NS records), or that a TLS server is asked to be' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s c -l count -d 'Send this many packets to each target, then stop' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s i -l interval -d 'Time between two packets [default: 1s to one target; 10ms between different ones, and then each target gets one by --per-target-interval]; bare numbers are seconds' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -l per-target-interval -d 'Time between two packets to the same one of many targets, fping\'s -p [default: 1s]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s s -l size -d 'Octets of payload of an echo message' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s W -l timeout -d 'How long to wait for the reply to each packet; later ones are `late` [default: 2s; 0.5s with -a, -u and -r, where each wait is --backoff times the one before]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s w -l deadline -d 'End after this time, however many packets are left; what is in flight then is not counted' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s p -l pattern -d 'Fill the payload with these octets, in hexadecimal' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s Q -l tos -d 'Type of service, DSCP and ECN in one octet, as ping takes it (46 << 2 = 184 is EF)' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s M -l pmtudisc -d 'Whether packets may be cut on their way, and what becomes of those that are too large' -r -f -a "do\t'Never cut: refuse here what is larger than the path MTU that the system knows'
want\t'Cut here what is larger than the path MTU that the system knows'
dont\t'Let routers cut'
probe\t'Never cut, and pay no heed to the path MTU that the system knows'"
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s l -l preload -d 'Send this many packets at once, before the first interval (more than 3: root, or --force)' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s e -l identifier -d 'Identify the echo messages by this number, instead of one that is free' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s F -l file -d 'Measure what this file lists too, a target on each line; `-` is standard input' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s C -l vcount -d 'Send this many packets to each target, and list the time of each in columns, as fping does' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s r -l retries -d 'Ask until each target has answered once, at most this often again [default: 3 with -a or -u]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s B -l backoff -d 'How much longer than the one before each such wait is' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -l style -d 'How text looks' -r -f -a "ping\t'Like ping\'s, with percentiles'
fping\t'Line for line as fping writes it'"
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -l source -d 'Send from this address of this host' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s I -l interface -d 'Send through this network interface, or from this address of this host' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -l dscp -d 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s t -l ttl -d 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -l label -d 'Label the record; once for each label' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -l fail-on -d 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s f -l flood -d 'Send the next packet as soon as the last was answered, and 100 each second at least (root, or --force)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s A -l adaptive -d 'Send the next packet as soon as the last was answered, though not within 2 ms but for root, and else after the interval'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s R -l record-route -d 'ping\'s -R, which is refused: routers answer it no more'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -l force -d 'Allow what else only root may: less than 2 ms between two packets to one target, -f, and -l beyond 3'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -l catch-up -d 'Send packets to one target that were missed by more than one interval at once, instead of counting them as skipped; of many targets none is skipped'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s O -l outstanding -d 'Say so when a packet is not answered before the next one is sent'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s n -l numeric -d 'Never look names up: this is always so, and the flag is taken for the users of ping'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s m -l all-addresses -d 'Measure all addresses of each name, 64 at most, as fping does, instead of the first that the resolver gives'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s b -l broadcast -d 'Allow broadcast and multicast addresses, and list who replies'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s g -l generate -d 'Take two addresses for the ends of a range, as fping does. Networks and ranges in one word need no flag'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -l yes -d 'Measure more than 4096 generated addresses'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s a -l alive -d 'Ask until each target has answered once, and list those that have'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s u -l unreach -d 'Ask until each target has answered once, and list those that have not'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -l elapsed -d 'With -a, tell the time of the reply too, fping\'s -e'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -l addr -d 'Call targets by their addresses, fping\'s -A'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -l ecn -d 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -l json -d 'Print the record as one line of JSON'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -l csv -d 'Print the record as CSV: a header, then a row of base units, or one for each of ping\'s targets'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s q -l quiet -d 'Print only the summary'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s D -l timestamps -d 'Begin each line with its time, in seconds since 1970'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -l watch -d 'Measure again and again, and draw it on a terminal, until told to stop'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -l save -d 'Keep the record in the store (the file\'s store.save makes this the rule)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -l no-save -d 'Keep nothing, whatever store.save says'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand ping" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -s p -l port -d 'UDP port of the reflector [default: 2000; stamp and twamp: 862]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -l protocol -d 'Format of the packets' -r -f -a "wp1\t'waddleperf\'s own session: authenticated, loss by direction'
stamp\t'STAMP, RFC 8762 and 8972'
twamp\t'TWAMP Light, RFC 5357 appendix I'
echo\t'A verbatim echo, as older reflectors give'"
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -s c -l count -d 'Send this many packets, then stop' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -s i -l interval -d 'Time between two packets (or bursts), kept by an absolute plan; bare numbers are seconds' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -l schedule -d 'How the intervals are drawn: all alike, or exponentially distributed around the same mean (RFC 3432)' -r -f -a "fixed\t'Send k is due at start + k × interval'
poisson\t'Exponentially distributed intervals (RFC 3432 §3.3 tells why; RFC 2330 §11.1.1 is this)'"
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -l burst -d 'Packets sent back to back at each point of the schedule' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -s s -s l -l size -d 'Octets of UDP payload; formats round it up to what they need' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -s W -l timeout -d 'How long to wait for the reply to each packet; later ones are `late`' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -s w -s d -l deadline -d 'Stop sending after this time, however many packets are left (irtt\'s -d)' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -l key-file -d 'File with the key that the reflector shares (its octets, without white space at the ends)' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -l source -d 'Send from this address of this host' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -s I -l interface -d 'Send through this network interface, or from this address of this host' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -l ttl -d 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -l dscp -d 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -l label -d 'Label the record; once for each label' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -l fail-on -d 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -l assume-synced -d 'Report one-way delays although nothing proves that the two clocks agree'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -l catch-up -d 'Send packets that were missed by more than one interval at once, instead of counting them as skipped'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -l ecn -d 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -l json -d 'Print the record as one line of JSON'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -l csv -d 'Print the record as CSV: a header, then a row of base units, or one for each of ping\'s targets'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -s q -l quiet -d 'Print only the summary'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -s D -l timestamps -d 'Begin each line with its time, in seconds since 1970'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -l watch -d 'Measure again and again, and draw it on a terminal, until told to stop'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -l save -d 'Keep the record in the store (the file\'s store.save makes this the rule)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -l no-save -d 'Keep nothing, whatever store.save says'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand udpping" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s F -l file -l filename -d 'Trace the targets that this file lists, one after the other; `-` is standard input' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -l strategy -d 'How the number of a probe is carried: paris keeps all probes of a flow on one path, so does dublin, by the IP header (CAP_NET_RAW), classic is traceroute\'s, whose ports vary (for firewalls that want those)' -r -f -a "classic\t'UDP ports vary, and the checksum of an echo'
paris\t'What load balancers look at stays the same in a flow'
dublin\t'So over UDP, with the number in the identification of IPv4, or in the length over IPv6, where routers that quote little quote it too (CAP_NET_RAW; else paris)'"
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s c -l count -l report-cycles -d 'Trace this many cycles, then stop' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s i -l interval -d 'Time from one cycle to the next; bare numbers are seconds' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -l flows -d 'Trace this many flows side by side: each keeps its own path' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -l mda -d 'Find every path that load balancing offers, once, instead of tracing cycle after cycle: lite or full' -r -f -a "lite\t'Hop by hop; node by node only where paths are meshed (MDA-Lite)'
full\t'Node by node throughout: more probes, and no assumption'"
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -l confidence -d 'How sure --mda shall be that it misses no next hop of a node, in percent' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s P -l port -d 'Destination port of UDP and TCP [default: 33434; quic: 443, tcp: 80]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s L -l localport -d 'Source port of the first flow over UDP and TCP; further flows take the next ones' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s s -l size -l psize -d 'Octets of each probe\'s IP packet; what a probe needs at least is kept. Over IPv6 dublin\'s have each their own length' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s B -l bitpattern -d 'Fill the probes of ICMP and UDP with this octet, 0-255; a larger number draws one' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s Q -l tos -d 'Type of service of the probes, the whole octet: DSCP and ECN at once, where --dscp and --ecn take each' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s M -l mark -d 'Mark the packets for this host\'s own routing and filters (SO_MARK); needs CAP_NET_ADMIN, or CAP_NET_RAW since Linux 5.17' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s f -l first-ttl -d 'TTL of the first hop' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s m -l max-ttl -d 'TTL of the last hop at most' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s U -l max-unknown -d 'Give up after this many silent hops in a row' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s Z -l timeout -d 'How long to wait for the reply to each probe; later ones are `late`' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s G -l gracetime -d 'How long to wait for the last replies [default: half more than the longest round trip, 100 ms to 1 s]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s y -l ipinfo -d 'Show each hop\'s AS number (0), prefix (1) or country (2), from a local database (mtr\'s numbers); the registry (3) and the date of allocation (4) are in none, and are shown as `???`' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -l geo -d 'Database of AS numbers or countries (MMDB) [default: those that `waddleperf geoip list` names]' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s o -l order -d 'Columns of the report, by mtr\'s letters: L loss, D dropped, R received, S sent, N newest, B best, A average, W worst, V deviation, G geometric mean, J jitter, M its mean, X its worst, I interarrival jitter' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -l format -d 'The form of the report' -r -f -a "text\t'A table for people'
mtr-json\t'As `mtr --json`'
mtr-csv\t'As `mtr --csv`'
mtr-raw\t'As `mtr --raw`'
dot\t'A graph for Graphviz'"
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s I -l interface -d 'Send through this network interface, or from this address of this host' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -l ttl -d 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -l dscp -d 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s a -l source -l address -d 'Send from this address of this host' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -l label -d 'Label the record; once for each label' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -l fail-on -d 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -l icmp -d 'Probe with ICMP echo requests, which is the rule for one flow'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s u -l udp -d 'Probe with UDP datagrams, which is the rule for several flows'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s T -l tcp -d 'Probe with TCP SYNs; a port that answers is reset at once'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -l quic -d 'Probe with UDP datagrams of 1200 octets, as QUIC\'s first, to port 443'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s n -l no-dns -d 'Do not look up the names of addresses'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s r -l report -d 'Print a report, which is the rule here (mtr\'s letter)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s w -l report-wide -d 'Cut no names in the report'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s b -l show-ips -d 'Show addresses beside names'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s z -l aslookup -d 'Show the number of each hop\'s autonomous system, from a local database'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s e -l mpls -d 'Write MPLS labels with --mtr-raw too; tables show them without being asked'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s j -l mtr-json -d 'As `--format mtr-json`'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s C -l mtr-csv -d 'As `--format mtr-csv`'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s l -l mtr-raw -l raw -d 'As `--format mtr-raw`'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -l dot -d 'As `--format dot`: the path, or with --mda every path, as a graph for Graphviz'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -l ecn -d 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -l json -d 'Print the record as one line of JSON'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -l csv -d 'Print the record as CSV: a header, then a row of base units, or one for each of ping\'s targets'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s q -l quiet -d 'Print only the summary'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s D -l timestamps -d 'Begin each line with its time, in seconds since 1970'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -l watch -d 'Measure again and again, and draw it on a terminal, until told to stop'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -l save -d 'Keep the record in the store (the file\'s store.save makes this the rule)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -l no-save -d 'Keep nothing, whatever store.save says'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtr" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -s p -l port -d 'UDP port of a waddleperf reflector and TCP port whose segment size is read [default: 2000, and 443 or 80]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -s M -l method -d 'What carries the packets' -r -f -a "auto\t'ICMP echo, and a waddleperf reflector where there is one; what else is answered where echo is not'
icmp\t'ICMP echo only'
reflector\t'A waddleperf reflector only: tells the two directions apart'
udp\t'UDP to ports where nobody listens: the host\'s "port unreachable" is the answer'
tcp\t'TCP SYN with data (needs CAP_NET_RAW): SYN-ACK or RST is the answer'"
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -l min -d 'The smallest size to try, octets of IP packet [default: 68]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -l max -d 'The largest size to try, octets of IP packet [default: what the interface sends, at most 9216]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -s W -l timeout -d 'How long to wait for the first answer; later ones are given three round trips' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -s w -l deadline -d 'How long the whole run may take' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -l key-file -d 'File with the key that the reflector shares (its octets, without white space at the ends)' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -l source -d 'Send from this address of this host' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -s I -l interface -d 'Send through this network interface, or from this address of this host' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -l ttl -d 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -l dscp -d 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -l label -d 'Label the record; once for each label' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -l fail-on -d 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -l hops -d 'Look at each hop of the way even if nothing is in the way'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -s n -l numeric -d 'Give addresses of hops, not names: no DNS server is asked for them'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -l no-tcp -d 'Do not connect to a TCP port of the target'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -l ecn -d 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -l json -d 'Print the record as one line of JSON'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -l csv -d 'Print the record as CSV: a header, then a row of base units, or one for each of ping\'s targets'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -s q -l quiet -d 'Print only the summary'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -s D -l timestamps -d 'Begin each line with its time, in seconds since 1970'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -l watch -d 'Measure again and again, and draw it on a terminal, until told to stop'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -l save -d 'Keep the record in the store (the file\'s store.save makes this the rule)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -l no-save -d 'Keep nothing, whatever store.save says'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand mtu" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -s L -l file -l input-list -d 'Scan what this file lists too, words with white space between, `-` is standard input: nmap\'s -iL FILE' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -l exclude -d 'Leave these out, written as targets are; several between commas' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -s s -l scan -d 'How to ask, as nmap\'s -sT, -sS, -sU, -sSU: `T` or connect (the default), `S` or syn (needs CAP_NET_RAW), `U` or udp' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -s p -l ports -d 'Ports: `22,80,1-1024`, `-` for all, names as `http*`; behind `T:` or `U:` of that protocol only' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -l top-ports -l top -d 'Only N ports: the 100 that are open most often, then those of known services, then by number; beyond 100 that is not nmap\'s list [default: 1000]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -s T -l timing -d 'How fast and how patient, as nmap\'s -T: 0 (a question in 5 minutes) to 5 (in a hurry, on a good line)' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -l min-rate -d 'Questions per second at least, whatever is lost; lifts the ceiling of 1000 as --max-rate does' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -l max-rate -l rate -d 'Questions per second at most, of all hosts together [default: 1000 after the first 1000, but none for this host\'s own addresses and none with -T4, -T5 and --min-rate]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -l max-retries -d 'How often a silent port is asked again at most [default: 10, and more where answers are rationed]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -s w -l deadline -l host-timeout -d 'End after this time, whatever is known then' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -s P -d 'As nmap\'s -Pn, and always so: no host is asked first whether it is there' -r -f -a "n\t''"
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -l source -d 'Send from this address of this host' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -s I -l interface -d 'Send through this network interface, or from this address of this host' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -l ttl -d 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -l dscp -d 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -l label -d 'Label the record; once for each label' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -l fail-on -d 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -s F -l fast -d 'Only the 100 ports that are open most often'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -l banner -d 'Read what open TCP ports say, and how they speak TLS'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -l open -d 'Show open ports only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -l reason -d 'Show why a port is said to be what it is, and who says so'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -l all -d 'List every port, however many there are of a kind'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -l yes -d 'Yes, scan more than one host'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -s n -d 'As nmap\'s -n, and always so: no address is resolved to a name'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -s i -d 'The first letter of nmap\'s -iL'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -l ecn -d 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -l json -d 'Print the record as one line of JSON'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -l csv -d 'Print the record as CSV: a header, then a row of base units, or one for each of ping\'s targets'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -s q -l quiet -d 'Print only the summary'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -s D -l timestamps -d 'Begin each line with its time, in seconds since 1970'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -l watch -d 'Measure again and again, and draw it on a terminal, until told to stop'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -l save -d 'Keep the record in the store (the file\'s store.save makes this the rule)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -l no-save -d 'Keep nothing, whatever store.save says'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand portscan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -s d -l domain -d 'The name to look up [default: the root]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -s x -l reverse -d 'Look up the name of this address, as dig\'s -x' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -s t -l type -d 'The type of records to ask for: a mnemonic or TYPE123 [default: A; of the root NS]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -s s -l server -d 'Ask this server: an address or a name, with :PORT if need be, or a URL (udp:, tcp:, tls:, https:, quic:; #NAME behind it is the name in its certificate); once for each [default: those of resolv.conf(5), and this host\'s own way]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -s p -l port -d 'The servers\' port [default: 53; tls and quic: 853; https: 443]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l transport -d 'How queries travel, where the server is no URL' -r -f -a "udp\t'UDP (RFC 1035 §4.2.1), and TCP where an answer is truncated'
tcp\t'TCP (RFC 7766)'
dot\t'TLS (RFC 7858)'
doh\t'HTTPS (RFC 8484), by HTTP/2'
doq\t'QUIC (RFC 9250)'"
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l path -d 'The path of the service, over HTTPS' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l tls-name -d 'The name that the server\'s certificate must have [default: that of the server, or its address]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l ca-file -l cacert -d 'Believe the certificate authorities in this file (PEM), and none else' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -s c -l count -d 'Ask each server this often [default: 10; with +short 1]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -s i -l interval -d 'Time between two queries to one server; servers take turns within it' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -s W -l timeout -d 'How long to wait for each answer' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l tries -d 'How often a query without an answer is sent, each time with a new identifier; each counts as one' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l bufsize -d 'Octets of an answer over UDP that are accepted (EDNS)' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l hints -d 'Begin a trace at the servers of this file: addresses, or the form of named.root [default: the root servers of 2025]' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l absent-zone -d 'The zone of the name that cannot be' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l cold-zone -d 'A zone that has every name (a wildcard): a random one of it cannot be in a cache, and its time is the cold one' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l load -d 'Send the questions of this file to the server, over udp, tcp or dot: a name and a type on each line, as dnsperf\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l qps -d 'With --load: queries per second; above 1,000 those of a millisecond go together [default: as many as are answered]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -s l -l duration -l limit -d 'With --load: for so long [default: 10s; with -c that often through the file]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l outstanding -d 'With --load: queries that wait for their answers at once, at most' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l clients -d 'With --load: sockets, each with a port of its own; over TCP and TLS connections' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l source -d 'Send from this address of this host' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -s I -l interface -d 'Send through this network interface, or from this address of this host' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l ttl -d 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l dscp -d 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l label -d 'Label the record; once for each label' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l fail-on -d 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l system -d 'Ask the system\'s too, besides those that are named: each of resolv.conf(5), and getaddrinfo(3)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l get -d 'Ask by GET, over HTTPS (RFC 8484 §4.1)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -s k -l insecure -d 'Go on whoever the server is; what is wrong with its certificate is said'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l fresh -d 'Make a new connection for each query, where one would be used again'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l dnssec -d 'Ask for signatures, and find out whether the server validates: secure, insecure, bogus, unsupported'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l unchecked -d 'Ask for what does not validate, too (CD)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l no-recurse -d 'Do not ask for recursion (RD)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l no-edns -d 'Do without EDNS'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l no-cookie -d 'Send no cookies, which prove that an answer is the server\'s own (RFC 7873)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l ignore-truncation -d 'Leave a truncated answer as it is, where it would be asked for again over TCP'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l no-case -d 'Leave the letters of the name as they are: by default their case is mixed, so that no guessed answer passes'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l short -d 'Print the answers alone, as dig\'s +short'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l trace -d 'Go from the root servers down, one server of each zone after the other'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l check -d 'Ask for a name that cannot be, and find out what the server makes of it: an address is a hijack'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l sizes -d 'Find out which sizes get through over UDP: padded queries on the way there, long answers on the way back'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l ecn -d 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l json -d 'Print the record as one line of JSON'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l csv -d 'Print the record as CSV: a header, then a row of base units, or one for each of ping\'s targets'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -s q -l quiet -d 'Print only the summary'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -s D -l timestamps -d 'Begin each line with its time, in seconds since 1970'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l watch -d 'Measure again and again, and draw it on a terminal, until told to stop'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l save -d 'Keep the record in the store (the file\'s store.save makes this the rule)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -l no-save -d 'Keep nothing, whatever store.save says'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand resolvertime" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -s X -l request -d 'Method of the request [default: GET, with -d POST, with -I HEAD]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -s H -l header -d 'A header of the request, `Name: value`; `Name:` leaves one out; `@FILE` has one on each line. What tells who asks (Authorization, Cookie, …) is better kept in a file: arguments can be read by everybody on this host' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -s d -l body -d 'Send this as a form, several joined by `&`; `@FILE` sends what is in it, without line ends; `@-` is standard input. curl\'s long name for it, --data, means this program\'s own data here' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l body-binary -l data-binary -d 'Send this as it is; `@FILE` sends what is in it' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -s u -l user -d 'curl\'s -u, which is refused: everybody on this host could read it' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l user-file -d 'Send the `user:password` in this file\'s first line (Basic, RFC 7617)' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -s A -l user-agent -d 'What the request says that it comes from [default: waddleperf and its version]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l max-redirs -d 'Redirects that are followed at most' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l cacert -l ca-file -d 'Believe the authorities in this file (PEM) alone' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l resolve -d 'Use these addresses for a host and port, HOST:PORT:ADDRESS, or more addresses behind commas; `*` is any host' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l connect-to -d 'Connect to another host and port, HOST1:PORT1:HOST2:PORT2; an empty one is any, or the same' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -s m -l max-time -d 'End each repeat after this time, redirects included' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l connect-timeout -d 'End each look-up, connection and TLS handshake, together, after this time' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l max-bytes -d 'Octets of a body that are accepted, also decoded [default: 10485760; with -o no limit]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -s o -l output -d 'Write the body into this file; `-` is standard output' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -s c -l count -d 'Ask this often' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l interval -d 'Time between the end of a repeat and the next' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l expect -d 'What the answer must be, else the exit code is 1: status=200 (or 2xx), header:NAME=VALUE, body~EXPRESSION, json:/POINTER=VALUE; once for each' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -s w -l write-out -d 'Print this instead, with curl\'s variables such as %{time_total}; `@FILE` has it. Of several repeats the last is told' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l format -d 'How text looks' -r -f -a "text\t'A waterfall'
curl-json\t'What `curl -w \'%{json}\'` prints'"
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l har -d 'Write the requests and answers, the first 1000 at most, into this file, as HAR 1.2' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l source -d 'Send from this address of this host' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l ttl -d 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l dscp -d 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l interface -d 'Send through this network interface, or from this address of this host' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l label -d 'Label the record; once for each label' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l fail-on -d 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -s I -l head -d 'Ask for the head alone'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l compressed -d 'Ask for a compressed body (zstd, br, gzip, deflate), decode it, and count it before and after'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -s L -l location -d 'Follow redirects: this is always so unless --no-location is given'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l no-location -d 'Do not follow redirects'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -s k -l insecure -d 'Accept whatever certificate is shown. The report says so, and what is wrong with it'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l http1.1 -d 'Speak HTTP/1.1 only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l http2 -d 'Speak HTTP/2 where the server offers it (ALPN): the default'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l http2-prior-knowledge -d 'Speak HTTP/2, also without TLS'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l http3 -d 'Try HTTP/3 beside the others, and use whichever connection stands first'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l http3-only -d 'Speak HTTP/3 only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l keepalive -d 'Ask each time over the same connection (warm), instead of over a new one (cold)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l resume -d 'Let new connections resume the TLS sessions of earlier legs and repeats (tickets, RFC 8446 §2.2); otherwise each handshake is a whole one. No early data is sent'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -s f -l fail -d 'End with 1 when the status is 400 or above'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l show-secrets -d 'Show what tells who asks (Authorization, Cookie, …) in report and HAR, instead of masking it'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -s s -l silent -d 'curl\'s -s, and always so'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -s S -l show-error -d 'curl\'s -S, and always so'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l ecn -d 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l json -d 'Print the record as one line of JSON'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l csv -d 'Print the record as CSV: a header, then a row of base units, or one for each of ping\'s targets'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -s q -l quiet -d 'Print only the summary'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -s D -l timestamps -d 'Begin each line with its time, in seconds since 1970'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l watch -d 'Measure again and again, and draw it on a terminal, until told to stop'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l save -d 'Keep the record in the store (the file\'s store.save makes this the rule)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -l no-save -d 'Keep nothing, whatever store.save says'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand httptrace" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -s p -l port -d 'The port [default: 443, or that of what --starttls names]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -l servername -d 'Ask for this name (SNI) and expect its certificate [default: the target]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -l starttls -d 'Speak this first, and then change to TLS' -r -f -a "smtp\t'SMTP (RFC 3207)'
imap\t'IMAP (RFC 9051 §6.2.1)'
pop3\t'POP3 (RFC 2595 §4)'
ftp\t'FTP (RFC 4217)'
ldap\t'LDAP (RFC 4511 §4.14)'
postgres\t'PostgreSQL\'s SSLRequest'
mysql\t'MySQL\'s and MariaDB\'s SSLRequest'
xmpp\t'XMPP, as a client (RFC 6120 §5)'
xmpp-server\t'XMPP, as another server'"
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -l alpn -d 'Offer these application protocols, separated by commas [default: h2,http/1.1; none with --starttls]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -l ca-file -l cacert -d 'Believe the authorities in this file (PEM), and no others [default: this host\'s]' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -l rate -d 'Connections per second of a scan at most [default: as fast as it answers four at the same time]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -l expiry-warn -d 'Warn of certificates that expire within this time' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -l timeout -d 'How long each step of a connection may take: connecting, STARTTLS, the handshake' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -s w -l deadline -d 'End after this time, whatever is known then' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -l source -d 'Send from this address of this host' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -s I -l interface -d 'Send through this network interface, or from this address of this host' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -l ttl -d 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -l dscp -d 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -l label -d 'Label the record; once for each label' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -l fail-on -d 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -l scan -d 'Ask for everything that it offers: versions, suites, groups, signatures, and what is weak about them'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -l ecn -d 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -l json -d 'Print the record as one line of JSON'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -l csv -d 'Print the record as CSV: a header, then a row of base units, or one for each of ping\'s targets'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -s q -l quiet -d 'Print only the summary'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -s D -l timestamps -d 'Begin each line with its time, in seconds since 1970'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -l watch -d 'Measure again and again, and draw it on a terminal, until told to stop'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -l save -d 'Keep the record in the store (the file\'s store.save makes this the rule)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -l no-save -d 'Keep nothing, whatever store.save says'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand tls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -s p -l port -d 'The server\'s port [default: 22, or what ~/.ssh/config says]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -s l -l login -d 'Log in as this user [default: what ~/.ssh/config says, or you]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -s i -l identity -d 'Log in with this private key; may be given several times [default: the agent\'s, then ~/.ssh/id_ed25519, id_ecdsa, id_rsa]' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -l passphrase-file -d 'What unlocks the private key is the content of this file, which only you can read' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -l password-file -d 'The password is the content of this file, which only you can read; or of the variable WADDLEPERF_SSH_PASSWORD' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -l host-key -d 'The server\'s key has this fingerprint (SHA256:…, as `ssh-keygen -lf` shows it); no file is asked' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -l known-hosts -d 'The file of known hosts [default: ~/.ssh/known_hosts, and /etc/ssh/ssh_known_hosts]' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -s F -l ssh-config -d 'Read this instead of ~/.ssh/config; `none` reads none' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -s c -l count -d 'Characters to send, one after the other has come back' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -s t -l time -l echotime -d 'Send no more of them after this time' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -s e -l echo-command -l echocmd -d 'The far side\'s program that sends back what it gets' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -s s -l size -l speedsize -d 'MB to send and to fetch' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -s r -l runtests -d 'Only one of the two: e measures echoes, s speed [default: both]' -r -f -a "e\t'Characters there and back'
s\t'What goes through'"
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -s T -l connect-timeout -d 'A connection stands within this time' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -s w -l deadline -d 'End after this time, whatever is known then' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -l source -d 'Send from this address of this host' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -s I -l interface -d 'Send through this network interface, or from this address of this host' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -l ttl -d 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -l dscp -d 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -l label -d 'Label the record; once for each label' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -l fail-on -d 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -l no-agent -d 'Do not ask the agent for keys'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -l no-auth -d 'Do not log in: only connect and exchange keys, to see that the server is well. The server\'s key is not judged then'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -l accept-new -d 'Believe a server that nothing is known of, and write its key into the file of known hosts. A changed key never passes'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -l tty -d 'Let a terminal echo, below a shell, as when a person types'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -l sftp -d 'Send and fetch a file below /tmp by SFTP, instead of zeros through programs. It is removed afterwards'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -s P -l pingsummary -d 'End with a line as ping\'s: rtt min/avg/max/mdev'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -l ecn -d 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -l json -d 'Print the record as one line of JSON'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -l csv -d 'Print the record as CSV: a header, then a row of base units, or one for each of ping\'s targets'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -s q -l quiet -d 'Print only the summary'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -s D -l timestamps -d 'Begin each line with its time, in seconds since 1970'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -l watch -d 'Measure again and again, and draw it on a terminal, until told to stop'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -l save -d 'Keep the record in the store (the file\'s store.save makes this the rule)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -l no-save -d 'Keep nothing, whatever store.save says'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sshping" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s c -l client -d 'The same, as iperf3\'s users write it' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s p -l port -d 'The server\'s port' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s t -l time -d 'Transmit for this time; 0 until interrupted' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s n -l bytes -d 'Transmit so many octets (10M are 10 x 2^20), all streams together, instead of for a time' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s k -l blockcount -d 'Transmit so many blocks or datagrams, all streams together, instead of for a time' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s O -l omit -d 'Transmit for this time first, which does not count: TCP\'s slow start' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s i -l interval -d 'A line after each interval, 0.1 to 60 s; 0 is none' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s P -l parallel -d 'So many streams at once, in each direction' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s b -l bitrate -l bandwidth -d 'Bits per second of each stream and direction (20M are 20 x 10^6), 0 for as fast as can be; /N lets N packets leave back to back [default: 1M over UDP, 0 over TCP]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l fq-rate -d 'Bits per second of each stream and direction that the kernel keeps to (SO_MAX_PACING_RATE; over UDP where the interface\'s queue is fq)' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s l -l length -d 'Octets of each write or datagram [default: 128K over TCP; over UDP what the path takes in one packet]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s w -l window -d 'Socket buffers of both ends, which bound the window' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s M -l set-mss -d 'Largest TCP segment (MSS), octets' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s S -l tos -d 'Type of service of what both ends send, 0-255; 0x and 0 in front as in C' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s L -l flowlabel -d 'IPv6\'s flow label (RFC 6437) of what both ends send, 1-1048575; 0x in front as in C' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s C -l congestion -d 'TCP congestion control of both ends, such as cubic, reno or bbr' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s B -l bind -d 'Bind to this address of this host, and %DEVICE' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l cport -d 'Data leave from this port, and from those after it' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l connect-timeout -d 'The control connection stands within this time (a bare number is ms)' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l rcv-timeout -d 'Give up when nothing was received for this time (a bare number is ms)' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l snd-timeout -d 'Give a connection up when what was sent had no answer for this time (a bare number is ms) [default: the system\'s]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l cntl-ka -d 'When the control connection, quiet while the test runs, is asked whether it lives: seconds of silence, seconds between questions, questions' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s A -l affinity -d 'Run on this processor, and after a comma the one that the server is asked to run on' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l loss -d 'The share of datagrams that --find-max allows to be lost' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l trial -d 'How long each test of --find-max sends; the last one, of the rate that is found, sends for --time' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l retry-busy -d 'Ask a server that is busy again, after 1, 2, 4 … seconds, for so long' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l latency -d 'Measure round trips before the bulk and while it runs: what queues on the way add to them (bufferbloat)' -r -f -a "icmp\t'ICMP echoes'
udp\t'Packets to a waddleperf reflector (UDP 2000)'
tcp\t'TCP connections to another port of the server (--latency-port); a refusal is an answer, too'"
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l latency-port -d 'The port that --latency=tcp knocks at, open or closed: not the test\'s own, where stock servers take every connection for a client' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s T -l title -d 'A title, for the record and the server\'s' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l extra-data -d 'A text for the server\'s record' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s f -l format -d 'Unit of the rates that are printed: k, m, g or t for bits by powers of 1000, K, M, G or T for octets by powers of 1024' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l style -d 'Whose words name the units of what is printed' -r -f -a "waddleperf\t'Our own: Mbit/s, MiB'
iperf3\t'iperf3\'s: Mbits/sec, MBytes, and what it says before and after a test'"
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l timestamp-format -d 'Begin each line with its time, as strftime(3) writes it (`%H:%M:%S`)' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l logfile -d 'Write what is printed into this file instead, at its end' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l username -d 'Log in by this name; the password is that of --password-file, or of the variable IPERF3_PASSWORD' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l rsa-public-key-path -d 'The server\'s public RSA key (PEM), which the login is encrypted for' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l password-file -d 'The password is the content of this file, which only you can read' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l source -d 'Send from this address of this host' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s I -l interface -d 'Send through this network interface, or from this address of this host' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l ttl -d 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l dscp -d 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l label -d 'Label the record; once for each label' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l fail-on -d 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s u -l udp -d 'UDP instead of TCP'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s R -l reverse -d 'The server sends, this host receives'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l bidir -d 'Both send at once'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s N -l no-delay -d 'Do not hold back small writes (Nagle\'s algorithm off)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s m -l mptcp -d 'Connections over several paths at once (Multipath TCP, RFC 8684), where the server and the system have it; else over one. Of several, what only the kernel knows (retransmits, RTT, cwnd) is not known'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s Z -l zerocopy -d 'Ask a server other than waddleperf\'s, too, to send without copying'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l repeating-payload -d 'The payload is a pattern, which a compressing link makes less of; else random'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l dont-fragment -d 'Over IPv4 datagrams must not be fragmented (DF)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l rx-copy -d 'Copy what is received, as an application would, instead of having the kernel throw it away'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l tx-copy -d 'Copy what is sent, as most applications do, instead of lending the kernel the payload\'s own pages'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l gso -l gsro -d 'Let the kernel cut and join datagrams of UDP (GSO, GRO): many more of them, in bursts'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l find-max -d 'Find the highest rate over UDP of which no more is lost than --loss, by short tests of ever other rates, up to that of -b'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l get-server-output -d 'Also show what the server says of the test'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l forceflush -d 'Flush each line; they always are'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s J -l iperf3-json -d 'Print what `iperf3 -J` would, and nothing else'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l json-stream -d 'Print a line of JSON when it begins, after each interval and at its end, as `iperf3 --json-stream` does'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l udp-counters-64bit -d 'Sequence numbers have 64 bits; they always have'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l use-pkcs1-padding -d 'Encrypt it as iperf3 up to 3.16 does (PKCS#1 v1.5 instead of OAEP), which servers from 3.17 on refuse unless they are told'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l ecn -d 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l json -d 'Print the record as one line of JSON'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l csv -d 'Print the record as CSV: a header, then a row of base units, or one for each of ping\'s targets'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s q -l quiet -d 'Print only the summary'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s D -l timestamps -d 'Begin each line with its time, in seconds since 1970'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l watch -d 'Measure again and again, and draw it on a terminal, until told to stop'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l save -d 'Keep the record in the store (the file\'s store.save makes this the rule)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -l no-save -d 'Keep nothing, whatever store.save says'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand bandwidth" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -s i -l interface -d 'Capture on this interface, or on `any` [default: the one that leads to TARGET, else any]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -s f -l filter -d 'Keep only what this accepts, by pcap-filter(7) without arithmetic: `tcp port 80 and not net 10`' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -l bpf -d 'Keep only what this compiled filter accepts: what `tcpdump -ddd` prints, with commas for its line ends' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -s c -l count -d 'Stop after this many packets' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -l duration -d 'Stop after this time' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -l size -d 'Stop before the file, or all files together, have more than this many MiB; a ring by -C and -W bounds itself' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -s s -l snaplen -l snapshot-length -d 'Octets that are kept of each packet; 128 hold its headers, 0 is all' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -s w -l write -d 'Write the packets to this file (pcapng, readable by its owner only); `-` is stdout. With -G, `%` is strftime(3)\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -s C -l file-size -d 'Go on in another file before one has more than so many millions of octets' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -s W -l files -d 'Keep the latest N files only, with -C or -G (tcpdump -G ends after N)' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -s G -l rotate -d 'Go on in another file after this time' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -s B -l buffer -d 'KiB of the ring that the kernel writes to' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -l label -d 'Label the record; once for each label' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -l fail-on -d 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -s e
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -s U
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -l list-interfaces -d 'Print what -i may name, and nothing else (tcpdump\'s -D)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -s r -l read -d 'TARGET is a file: sum up its packets instead of capturing'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -l all -d 'Keep the packets of every host'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -l own -d 'Keep the packets of the ssh connection that this was started through, too'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -l full -d 'Keep whole packets, as -s 0 does'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -l pcap -d 'Write pcap with nanoseconds instead of pcapng'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -l redact -d 'Write zeros for all behind the transport\'s header'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -l anon -d 'Replace addresses by others with the same prefixes in common, by a key that is forgotten; redacts as well'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -l promisc -d 'Capture also what is for other hosts, where the interface sees it'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -s p -l no-promisc -d 'Capture only what is for this host, which is so unless --promisc is set (tcpdump\'s -p)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -s n -l numeric -d 'Print numbers, not names: always so, for tcpdump\'s users, who may say it twice'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -l json -d 'Print the record as one line of JSON'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -l csv -d 'Print the record as CSV: a header, then a row of base units, or one for each of ping\'s targets'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -s q -l quiet -d 'Print only the summary'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -s D -l timestamps -d 'Begin each line with its time, in seconds since 1970'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -l watch -d 'Measure again and again, and draw it on a terminal, until told to stop'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -l save -d 'Keep the record in the store (the file\'s store.save makes this the rule)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -l no-save -d 'Keep nothing, whatever store.save says'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand capture" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sysinfo" -l only -d 'Only these parts, separated by commas [default: all]' -r -f -a "host\t'Operating system, kernel, virtualization'
cpu\t'Processors, load, pressure, limits of the control group'
memory\t'Memory and swap'
disks\t'File systems'
clock\t'How well the clock is set'
interfaces\t'Network interfaces, their addresses, errors, drivers and queues'
routes\t'Routes, rules and neighbours'
resolvers\t'Who resolves names, and proxies'
kernel\t'The kernel\'s network settings and counters'
sockets\t'Sockets by state, and who listens'"
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sysinfo" -l rate -d 'Read counters twice, this long apart, so that they become rates' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sysinfo" -l diff -d 'Tell what has changed since the record in FILE, as --json writes it (- is standard input); given twice, what changed from the first to the second, and this host is not looked at' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sysinfo" -l label -d 'Label the record; once for each label' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sysinfo" -l fail-on -d 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sysinfo" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sysinfo" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sysinfo" -l processes -d 'List the processes that use the most CPU time and memory, with their command lines'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sysinfo" -l sockets -d 'List TCP connections with their round-trip times and retransmissions, those that lose most first'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sysinfo" -l json -d 'Print the record as one line of JSON'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sysinfo" -l csv -d 'Print the record as CSV: a header, then a row of base units, or one for each of ping\'s targets'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sysinfo" -s q -l quiet -d 'Print only the summary'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sysinfo" -s D -l timestamps -d 'Begin each line with its time, in seconds since 1970'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sysinfo" -l watch -d 'Measure again and again, and draw it on a terminal, until told to stop'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sysinfo" -l save -d 'Keep the record in the store (the file\'s store.save makes this the rule)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sysinfo" -l no-save -d 'Keep nothing, whatever store.save says'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sysinfo" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand sysinfo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand serve" -l listen -d 'Where a service listens, or `NAME=off`; once for each (udpping, on, port 2000; iperf3, on, port 5201; stamp, off, port 862)' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand serve" -l udp-key-file -d 'File with the key that UDP clients must share' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand serve" -l iperf3-allow -d 'A network or an address that iperf3\'s clients may test from; once for each (without any: all)' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand serve" -l iperf3-deny -d 'A network or an address that they may not test from; once for each' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand serve" -l rsa-private-key-path -d 'Clients must log in: the private RSA key (PEM) that their logins are encrypted for' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand serve" -l authorized-users-path -d 'Who may log in: lines of NAME,HASH with the SHA-256 of {NAME}PASSWORD' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand serve" -l time-skew-threshold -d 'How far a client\'s clock may be off [default: 10s]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand serve" -l server-bitrate-limit -d 'Bits per second of a test of iperf3, over TCP and over UDP (K, M, G and T for powers of 1000; 0 is no limit)' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand serve" -l server-max-duration -d 'How long a test of iperf3 may take (0: no limit)' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand serve" -l iperf3-show -d 'Show each test of iperf3 on stdout, as iperf3\'s own server does' -r -f -a "text\t'iperf3\'s lines and tables'
json\t'What `iperf3 -J` prints, at the end of each test'
json-stream\t'What `iperf3 --json-stream` prints'"
complete -c waddleperf -n "__fish_waddleperf_using_subcommand serve" -l iperf3-interval -d 'How long the intervals are that are shown, from 100 ms; 0 is none [default: 1s]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand serve" -l iperf3-format -d 'Unit of the rates that are shown: k, m, g, t, K, M, G or T' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand serve" -l iperf3-timestamps -d 'Begin each line that is shown with its time, as strftime(3) writes it' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand serve" -l pidfile -d 'Write the process\'s number into this file, and nothing into it at the end' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand serve" -l logfile -d 'Write what is told to the end of this file instead of stdout and stderr' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand serve" -l user -d 'The account to become when started as root' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand serve" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand serve" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand serve" -l udp-legacy -d 'Also echo what is no session of ours, verbatim, to private addresses only'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand serve" -l use-pkcs1-padding -d 'Also take logins of clients up to iperf 3.16 (PKCS#1 v1.5)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand serve" -l mptcp -d 'Let clients of iperf3 have connections over several paths (Multipath TCP)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand serve" -l one-off -d 'End after one test of iperf3, whatever came of it; one at a time'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand serve" -l daemon -d 'Go to the background once all is open'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand serve" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and not __fish_seen_subcommand_from run daemon check status" -l target -d 'Measure only this target; may be repeated' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and not __fish_seen_subcommand_from run daemon check status" -l tier -d 'Run this tier now, whatever the state; its budget still counts' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and not __fish_seen_subcommand_from run daemon check status" -l stagger -d 'First wait for a time up to this, which is this host\'s own: so that hosts with one crontab do not burst' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and not __fish_seen_subcommand_from run daemon check status" -l if-locked -d 'What to do when another process measures already and takes no orders: end with 75, or with 0 and silently' -r -f -a "fail\t'End with 75'
skip\t'End with 0'"
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and not __fish_seen_subcommand_from run daemon check status" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and not __fish_seen_subcommand_from run daemon check status" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and not __fish_seen_subcommand_from run daemon check status" -l ignore-budget -d 'Run it although the day\'s budget is spent'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and not __fish_seen_subcommand_from run daemon check status" -l strict -d 'End with 1 when a target is bad'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and not __fish_seen_subcommand_from run daemon check status" -l nagios -d 'End with a Nagios plugin\'s codes and print its line, with performance data'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and not __fish_seen_subcommand_from run daemon check status" -l json -d 'Print each run\'s record as one line of JSON'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and not __fish_seen_subcommand_from run daemon check status" -s q -l quiet -d 'Print nothing but failures'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and not __fish_seen_subcommand_from run daemon check status" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and not __fish_seen_subcommand_from run daemon check status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and not __fish_seen_subcommand_from run daemon check status" -a "run" -d 'One round of every target now, and what it leads to (also without this word)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and not __fish_seen_subcommand_from run daemon check status" -a "daemon" -d 'Measure on the schedule, in the foreground until told to stop'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and not __fish_seen_subcommand_from run daemon check status" -a "check" -d 'Print what would be measured, how often, and the most that it sends; nothing is sent'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and not __fish_seen_subcommand_from run daemon check status" -a "status" -d 'Print how the targets are'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from run" -l target -d 'Measure only this target; may be repeated' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from run" -l tier -d 'Run this tier now, whatever the state; its budget still counts' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from run" -l stagger -d 'First wait for a time up to this, which is this host\'s own: so that hosts with one crontab do not burst' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from run" -l if-locked -d 'What to do when another process measures already and takes no orders: end with 75, or with 0 and silently' -r -f -a "fail\t'End with 75'
skip\t'End with 0'"
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from run" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from run" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from run" -l ignore-budget -d 'Run it although the day\'s budget is spent'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from run" -l strict -d 'End with 1 when a target is bad'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from run" -l nagios -d 'End with a Nagios plugin\'s codes and print its line, with performance data'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from run" -l json -d 'Print each run\'s record as one line of JSON'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Print nothing but failures'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from run" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from daemon" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from daemon" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from daemon" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from daemon" -s h -l help -d 'Print help'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from check" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from check" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from status" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from status" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from status" -l json -d 'Print one line of JSON for each target'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from status" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand autoperf; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and not __fish_seen_subcommand_from list show export stats prune verify ids import" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and not __fish_seen_subcommand_from list show export stats prune verify ids import" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and not __fish_seen_subcommand_from list show export stats prune verify ids import" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and not __fish_seen_subcommand_from list show export stats prune verify ids import" -s h -l help -d 'Print help'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and not __fish_seen_subcommand_from list show export stats prune verify ids import" -f -a "list" -d 'List records, newest first, one a line'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and not __fish_seen_subcommand_from list show export stats prune verify ids import" -f -a "show" -d 'Show one record'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and not __fish_seen_subcommand_from list show export stats prune verify ids import" -f -a "export" -d 'Write records for another program, oldest first'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and not __fish_seen_subcommand_from list show export stats prune verify ids import" -f -a "stats" -d 'Count what there is, and sum up each series'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and not __fish_seen_subcommand_from list show export stats prune verify ids import" -f -a "prune" -d 'Remove what is old'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and not __fish_seen_subcommand_from list show export stats prune verify ids import" -f -a "verify" -d 'Check the whole store'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and not __fish_seen_subcommand_from list show export stats prune verify ids import" -f -a "ids" -d 'List ids alone'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and not __fish_seen_subcommand_from list show export stats prune verify ids import" -f -a "import" -d 'Keep what ping, pping, mtr, iperf3, irtt or an earlier WaddlePerf measured'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from list" -l kind -d 'Only this kind (also autoperf and gap); may be given several times' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from list" -l target -d 'Only this target, * stands for any text; may be given several times' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from list" -l label -d 'Only with this label; may be given several times' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from list" -l since -d 'From then on: a span before now (6h) or RFC 3339' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from list" -l until -d 'Before then: a span before now (1h) or RFC 3339' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from list" -l limit -d 'At most so many records' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from list" -l after -d 'Go on behind this cursor, which a limited answer names' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from list" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from list" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from list" -l oldest -d 'Oldest first'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from list" -l json -d 'Print one JSON object: records, and the cursor for more'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from show" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from show" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from show" -l json -d 'Print the record as one line of JSON'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from export" -l kind -d 'Only this kind (also autoperf and gap); may be given several times' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from export" -l target -d 'Only this target, * stands for any text; may be given several times' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from export" -l label -d 'Only with this label; may be given several times' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from export" -l since -d 'From then on: a span before now (6h) or RFC 3339' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from export" -l until -d 'Before then: a span before now (1h) or RFC 3339' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from export" -l limit -d 'At most so many records' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from export" -l after -d 'Go on behind this cursor, which a limited answer names' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from export" -l format -d 'How it is written' -r -f -a "json\t'Each record whole, one a line'
csv\t'Each measurement\'s headline numbers in base units, one a row; a gap is a row of the kind `gap`'"
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from export" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from export" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from export" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from stats" -l kind -d 'Only this kind (also autoperf and gap); may be given several times' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from stats" -l target -d 'Only this target, * stands for any text; may be given several times' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from stats" -l label -d 'Only with this label; may be given several times' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from stats" -l since -d 'From then on: a span before now (6h) or RFC 3339' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from stats" -l until -d 'Before then: a span before now (1h) or RFC 3339' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from stats" -l scalar -d 'The number that is told of each series' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from stats" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from stats" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from stats" -l json -d 'Print one line of JSON'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from stats" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from stats" -s h -l help -d 'Print help'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from prune" -l older -d 'Remove raw records that are older than this, by whole hours before the newest record [default: as store.retention says]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from prune" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from prune" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from prune" -l dry-run -d 'Only say how many'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from prune" -l json -d 'Print one line of JSON'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from prune" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from verify" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from verify" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from verify" -l json -d 'Print one line of JSON'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from verify" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from ids" -l kind -d 'Only this kind (also autoperf and gap); may be given several times' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from ids" -l target -d 'Only this target, * stands for any text; may be given several times' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from ids" -l label -d 'Only with this label; may be given several times' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from ids" -l since -d 'From then on: a span before now (6h) or RFC 3339' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from ids" -l until -d 'Before then: a span before now (1h) or RFC 3339' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from ids" -l limit -d 'At most so many records' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from ids" -l after -d 'Go on behind this cursor, which a limited answer names' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from ids" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from ids" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from ids" -l json -d 'Print one JSON object: ids, and the cursor for more'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from ids" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from ids" -s h -l help -d 'Print help'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from import" -l format -d 'Which tool wrote it' -r -f -a "auto\t'Whichever the content shows'
ping\t'ping\'s text'
pping\t'pping\'s text'
mtr\t'mtr --json'
iperf3\t'iperf3 -J'
irtt\t'irtt client -o'
upstream\t'JSON of WaddlePerf before this program'"
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from import" -l at -d 'When it was measured, where the content does not say [default: when the file was written]' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from import" -l label -d 'A label for every record; may be given several times' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from import" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from import" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from import" -l json -d 'Print one JSON object: the ids'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from import" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand results; and __fish_seen_subcommand_from import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand geoip; and not __fish_seen_subcommand_from update list" -l geo -d 'Ask this database instead; may be given several times' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand geoip; and not __fish_seen_subcommand_from update list" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand geoip; and not __fish_seen_subcommand_from update list" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand geoip; and not __fish_seen_subcommand_from update list" -l json -d 'Print one line of JSON for each address'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand geoip; and not __fish_seen_subcommand_from update list" -l csv -d 'Print CSV: a header, then a row for each address; what is not known is empty'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand geoip; and not __fish_seen_subcommand_from update list" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand geoip; and not __fish_seen_subcommand_from update list" -s h -l help -d 'Print help'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand geoip; and not __fish_seen_subcommand_from update list" -a "update" -d 'Fetch newer databases, check them and put them into their place'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand geoip; and not __fish_seen_subcommand_from update list" -a "list" -d 'List the databases that are asked'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand geoip; and __fish_seen_subcommand_from update" -l url -d 'Fetch this URL or file instead of what the configuration names' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand geoip; and __fish_seen_subcommand_from update" -l sha256 -d 'Its SHA-256, or the URL of a file that begins with it (its path, where --url is one)' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand geoip; and __fish_seen_subcommand_from update" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand geoip; and __fish_seen_subcommand_from update" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand geoip; and __fish_seen_subcommand_from update" -l force -d 'Take it also if it is unchanged or older than what is there'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand geoip; and __fish_seen_subcommand_from update" -l json -d 'Print one line of JSON for each'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand geoip; and __fish_seen_subcommand_from update" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand geoip; and __fish_seen_subcommand_from update" -s h -l help -d 'Print help'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand geoip; and __fish_seen_subcommand_from list" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand geoip; and __fish_seen_subcommand_from list" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand geoip; and __fish_seen_subcommand_from list" -l json -d 'Print one line of JSON for each'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand geoip; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand geoip; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand health" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand health" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand health" -l json -d 'Print one line of JSON'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand health" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand health" -s h -l help -d 'Print help'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand config; and not __fish_seen_subcommand_from check print" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand config; and not __fish_seen_subcommand_from check print" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand config; and not __fish_seen_subcommand_from check print" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand config; and not __fish_seen_subcommand_from check print" -s h -l help -d 'Print help'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand config; and not __fish_seen_subcommand_from check print" -f -a "check" -d 'Say whether the configuration is right; the first fault is named with its line'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand config; and not __fish_seen_subcommand_from check print" -f -a "print" -d 'Print the configuration in force, defaults filled in, secrets hidden'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand config; and __fish_seen_subcommand_from check" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand config; and __fish_seen_subcommand_from check" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand config; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand config; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand config; and __fish_seen_subcommand_from print" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand config; and __fish_seen_subcommand_from print" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand config; and __fish_seen_subcommand_from print" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand config; and __fish_seen_subcommand_from print" -s h -l help -d 'Print help'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and not __fish_seen_subcommand_from links completions man docs config cron timer" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and not __fish_seen_subcommand_from links completions man docs config cron timer" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and not __fish_seen_subcommand_from links completions man docs config cron timer" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and not __fish_seen_subcommand_from links completions man docs config cron timer" -s h -l help -d 'Print help'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and not __fish_seen_subcommand_from links completions man docs config cron timer" -f -a "links" -d 'Make the names by which a command is called alone, such as `udpping`'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and not __fish_seen_subcommand_from links completions man docs config cron timer" -f -a "completions" -d 'Print a shell\'s completions, or write all shells\' into a directory'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and not __fish_seen_subcommand_from links completions man docs config cron timer" -f -a "man" -d 'Write the manual pages'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and not __fish_seen_subcommand_from links completions man docs config cron timer" -f -a "docs" -d 'Write the reference of records and configuration (Markdown)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and not __fish_seen_subcommand_from links completions man docs config cron timer" -f -a "config" -d 'Print a commented configuration to begin with'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and not __fish_seen_subcommand_from links completions man docs config cron timer" -f -a "cron" -d 'Print the crontab line for `autoperf run`, or install it'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and not __fish_seen_subcommand_from links completions man docs config cron timer" -f -a "timer" -d 'Print the systemd units for `autoperf run`, or write them'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from links" -l dir -d 'Where to make them [default: ~/.local/bin]' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from links" -l prefix -d 'Put this before each name, such as `wp-`' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from links" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from links" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from links" -l upstream -d 'Also the names of earlier tools (perfDB, waddledb, ppingParser)'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from links" -l force -d 'Replace other files of these names'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from links" -l hard -d 'Make hard links'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from links" -l sym -d 'Make symbolic links, which is the default'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from links" -l list -d 'Only list the names'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from links" -l remove -d 'Remove the links again; nothing else is touched'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from links" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from links" -s h -l help -d 'Print help'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from completions" -l dir -d 'Write the files of all shells here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from completions" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from completions" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from completions" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from completions" -s h -l help -d 'Print help'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from man" -l dir -d 'Where to; made if it does not exist' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from man" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from man" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from man" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from man" -s h -l help -d 'Print help'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from docs" -l dir -d 'Where to; made if it does not exist' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from docs" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from docs" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from docs" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from docs" -s h -l help -d 'Print help'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from config" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from config" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from config" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from config" -s h -l help -d 'Print help'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from cron" -l every -d 'Time between two rounds: whole minutes that divide an hour, or whole hours that divide a day' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from cron" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from cron" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from cron" -l install -d 'Put the line into this account\'s crontab, in the place of an earlier one'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from cron" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from cron" -s h -l help -d 'Print help'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from timer" -l every -d 'Time between two rounds: whole minutes that divide an hour, or whole hours that divide a day' -r
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from timer" -l dir -d 'Where to write them' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from timer" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from timer" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from timer" -l install -d 'Write the units, instead of printing them; `systemctl enable --now waddleperf-autoperf.timer` starts them'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from timer" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c waddleperf -n "__fish_waddleperf_using_subcommand setup; and __fish_seen_subcommand_from timer" -s h -l help -d 'Print help'
complete -c ping -l mode -d 'What is sent, and what counts as a reply [default: icmp, with --port tcp]' -r -f -a "icmp\t'ICMP echo (RFC 792, RFC 4443)'
tcp\t'A TCP connection: the time from SYN to SYN-ACK, or to RST'
tls\t'A TLS handshake, after the connection. The certificate is not judged'
http\t'HEAD over a connection that is kept (HTTP/1.1)'
quic\t'QUIC version negotiation (RFC 9000 §6)'
dns\t'A DNS query over UDP; whatever the answer, it is a reply'"
complete -c ping -l port -d 'Port, and --mode tcp where no mode is given [default: tcp and http 80, tls, https and quic 443, dns 53]' -r
complete -c ping -l name -d 'Name that a DNS server is asked for (its NS records), or that a TLS server is asked to be' -r
complete -c ping -s c -l count -d 'Send this many packets to each target, then stop' -r
complete -c ping -s i -l interval -d 'Time between two packets [default: 1s to one target; 10ms between different ones, and then each target gets one by --per-target-interval]; bare numbers are seconds' -r
complete -c ping -l per-target-interval -d 'Time between two packets to the same one of many targets, fping\'s -p [default: 1s]' -r
complete -c ping -s s -l size -d 'Octets of payload of an echo message' -r
complete -c ping -s W -l timeout -d 'How long to wait for the reply to each packet; later ones are `late` [default: 2s; 0.5s with -a, -u and -r, where each wait is --backoff times the one before]' -r
complete -c ping -s w -l deadline -d 'End after this time, however many packets are left; what is in flight then is not counted' -r
complete -c ping -s p -l pattern -d 'Fill the payload with these octets, in hexadecimal' -r
complete -c ping -s Q -l tos -d 'Type of service, DSCP and ECN in one octet, as ping takes it (46 << 2 = 184 is EF)' -r
complete -c ping -s M -l pmtudisc -d 'Whether packets may be cut on their way, and what becomes of those that are too large' -r -f -a "do\t'Never cut: refuse here what is larger than the path MTU that the system knows'
want\t'Cut here what is larger than the path MTU that the system knows'
dont\t'Let routers cut'
probe\t'Never cut, and pay no heed to the path MTU that the system knows'"
complete -c ping -s l -l preload -d 'Send this many packets at once, before the first interval (more than 3: root, or --force)' -r
complete -c ping -s e -l identifier -d 'Identify the echo messages by this number, instead of one that is free' -r
complete -c ping -s F -l file -d 'Measure what this file lists too, a target on each line; `-` is standard input' -r -F
complete -c ping -s C -l vcount -d 'Send this many packets to each target, and list the time of each in columns, as fping does' -r
complete -c ping -s r -l retries -d 'Ask until each target has answered once, at most this often again [default: 3 with -a or -u]' -r
complete -c ping -s B -l backoff -d 'How much longer than the one before each such wait is' -r
complete -c ping -l style -d 'How text looks' -r -f -a "ping\t'Like ping\'s, with percentiles'
fping\t'Line for line as fping writes it'"
complete -c ping -l source -d 'Send from this address of this host' -r
complete -c ping -s I -l interface -d 'Send through this network interface, or from this address of this host' -r
complete -c ping -l dscp -d 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le' -r
complete -c ping -s t -l ttl -d 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255' -r
complete -c ping -l label -d 'Label the record; once for each label' -r
complete -c ping -l fail-on -d 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold' -r
complete -c ping -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c ping -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c ping -s f -l flood -d 'Send the next packet as soon as the last was answered, and 100 each second at least (root, or --force)'
complete -c ping -s A -l adaptive -d 'Send the next packet as soon as the last was answered, though not within 2 ms but for root, and else after the interval'
complete -c ping -s R -l record-route -d 'ping\'s -R, which is refused: routers answer it no more'
complete -c ping -l force -d 'Allow what else only root may: less than 2 ms between two packets to one target, -f, and -l beyond 3'
complete -c ping -l catch-up -d 'Send packets to one target that were missed by more than one interval at once, instead of counting them as skipped; of many targets none is skipped'
complete -c ping -s O -l outstanding -d 'Say so when a packet is not answered before the next one is sent'
complete -c ping -s n -l numeric -d 'Never look names up: this is always so, and the flag is taken for the users of ping'
complete -c ping -s m -l all-addresses -d 'Measure all addresses of each name, 64 at most, as fping does, instead of the first that the resolver gives'
complete -c ping -s b -l broadcast -d 'Allow broadcast and multicast addresses, and list who replies'
complete -c ping -s g -l generate -d 'Take two addresses for the ends of a range, as fping does. Networks and ranges in one word need no flag'
complete -c ping -l yes -d 'Measure more than 4096 generated addresses'
complete -c ping -s a -l alive -d 'Ask until each target has answered once, and list those that have'
complete -c ping -s u -l unreach -d 'Ask until each target has answered once, and list those that have not'
complete -c ping -l elapsed -d 'With -a, tell the time of the reply too, fping\'s -e'
complete -c ping -l addr -d 'Call targets by their addresses, fping\'s -A'
complete -c ping -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c ping -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c ping -l ecn -d 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)'
complete -c ping -l json -d 'Print the record as one line of JSON'
complete -c ping -l csv -d 'Print the record as CSV: a header, then a row of base units, or one for each of ping\'s targets'
complete -c ping -s q -l quiet -d 'Print only the summary'
complete -c ping -s D -l timestamps -d 'Begin each line with its time, in seconds since 1970'
complete -c ping -l watch -d 'Measure again and again, and draw it on a terminal, until told to stop'
complete -c ping -l save -d 'Keep the record in the store (the file\'s store.save makes this the rule)'
complete -c ping -l no-save -d 'Keep nothing, whatever store.save says'
complete -c ping -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c ping -s h -l help -d 'Print help (see more with \'--help\')'
complete -c udpping -s p -l port -d 'UDP port of the reflector [default: 2000; stamp and twamp: 862]' -r
complete -c udpping -l protocol -d 'Format of the packets' -r -f -a "wp1\t'waddleperf\'s own session: authenticated, loss by direction'
stamp\t'STAMP, RFC 8762 and 8972'
twamp\t'TWAMP Light, RFC 5357 appendix I'
echo\t'A verbatim echo, as older reflectors give'"
complete -c udpping -s c -l count -d 'Send this many packets, then stop' -r
complete -c udpping -s i -l interval -d 'Time between two packets (or bursts), kept by an absolute plan; bare numbers are seconds' -r
complete -c udpping -l schedule -d 'How the intervals are drawn: all alike, or exponentially distributed around the same mean (RFC 3432)' -r -f -a "fixed\t'Send k is due at start + k × interval'
poisson\t'Exponentially distributed intervals (RFC 3432 §3.3 tells why; RFC 2330 §11.1.1 is this)'"
complete -c udpping -l burst -d 'Packets sent back to back at each point of the schedule' -r
complete -c udpping -s s -s l -l size -d 'Octets of UDP payload; formats round it up to what they need' -r
complete -c udpping -s W -l timeout -d 'How long to wait for the reply to each packet; later ones are `late`' -r
complete -c udpping -s w -s d -l deadline -d 'Stop sending after this time, however many packets are left (irtt\'s -d)' -r
complete -c udpping -l key-file -d 'File with the key that the reflector shares (its octets, without white space at the ends)' -r -F
complete -c udpping -l source -d 'Send from this address of this host' -r
complete -c udpping -s I -l interface -d 'Send through this network interface, or from this address of this host' -r
complete -c udpping -l ttl -d 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255' -r
complete -c udpping -l dscp -d 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le' -r
complete -c udpping -l label -d 'Label the record; once for each label' -r
complete -c udpping -l fail-on -d 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold' -r
complete -c udpping -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c udpping -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c udpping -l assume-synced -d 'Report one-way delays although nothing proves that the two clocks agree'
complete -c udpping -l catch-up -d 'Send packets that were missed by more than one interval at once, instead of counting them as skipped'
complete -c udpping -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c udpping -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c udpping -l ecn -d 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)'
complete -c udpping -l json -d 'Print the record as one line of JSON'
complete -c udpping -l csv -d 'Print the record as CSV: a header, then a row of base units, or one for each of ping\'s targets'
complete -c udpping -s q -l quiet -d 'Print only the summary'
complete -c udpping -s D -l timestamps -d 'Begin each line with its time, in seconds since 1970'
complete -c udpping -l watch -d 'Measure again and again, and draw it on a terminal, until told to stop'
complete -c udpping -l save -d 'Keep the record in the store (the file\'s store.save makes this the rule)'
complete -c udpping -l no-save -d 'Keep nothing, whatever store.save says'
complete -c udpping -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c udpping -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mtr -s F -l file -l filename -d 'Trace the targets that this file lists, one after the other; `-` is standard input' -r -F
complete -c mtr -l strategy -d 'How the number of a probe is carried: paris keeps all probes of a flow on one path, so does dublin, by the IP header (CAP_NET_RAW), classic is traceroute\'s, whose ports vary (for firewalls that want those)' -r -f -a "classic\t'UDP ports vary, and the checksum of an echo'
paris\t'What load balancers look at stays the same in a flow'
dublin\t'So over UDP, with the number in the identification of IPv4, or in the length over IPv6, where routers that quote little quote it too (CAP_NET_RAW; else paris)'"
complete -c mtr -s c -l count -l report-cycles -d 'Trace this many cycles, then stop' -r
complete -c mtr -s i -l interval -d 'Time from one cycle to the next; bare numbers are seconds' -r
complete -c mtr -l flows -d 'Trace this many flows side by side: each keeps its own path' -r
complete -c mtr -l mda -d 'Find every path that load balancing offers, once, instead of tracing cycle after cycle: lite or full' -r -f -a "lite\t'Hop by hop; node by node only where paths are meshed (MDA-Lite)'
full\t'Node by node throughout: more probes, and no assumption'"
complete -c mtr -l confidence -d 'How sure --mda shall be that it misses no next hop of a node, in percent' -r
complete -c mtr -s P -l port -d 'Destination port of UDP and TCP [default: 33434; quic: 443, tcp: 80]' -r
complete -c mtr -s L -l localport -d 'Source port of the first flow over UDP and TCP; further flows take the next ones' -r
complete -c mtr -s s -l size -l psize -d 'Octets of each probe\'s IP packet; what a probe needs at least is kept. Over IPv6 dublin\'s have each their own length' -r
complete -c mtr -s B -l bitpattern -d 'Fill the probes of ICMP and UDP with this octet, 0-255; a larger number draws one' -r
complete -c mtr -s Q -l tos -d 'Type of service of the probes, the whole octet: DSCP and ECN at once, where --dscp and --ecn take each' -r
complete -c mtr -s M -l mark -d 'Mark the packets for this host\'s own routing and filters (SO_MARK); needs CAP_NET_ADMIN, or CAP_NET_RAW since Linux 5.17' -r
complete -c mtr -s f -l first-ttl -d 'TTL of the first hop' -r
complete -c mtr -s m -l max-ttl -d 'TTL of the last hop at most' -r
complete -c mtr -s U -l max-unknown -d 'Give up after this many silent hops in a row' -r
complete -c mtr -s Z -l timeout -d 'How long to wait for the reply to each probe; later ones are `late`' -r
complete -c mtr -s G -l gracetime -d 'How long to wait for the last replies [default: half more than the longest round trip, 100 ms to 1 s]' -r
complete -c mtr -s y -l ipinfo -d 'Show each hop\'s AS number (0), prefix (1) or country (2), from a local database (mtr\'s numbers); the registry (3) and the date of allocation (4) are in none, and are shown as `???`' -r
complete -c mtr -l geo -d 'Database of AS numbers or countries (MMDB) [default: those that `waddleperf geoip list` names]' -r -F
complete -c mtr -s o -l order -d 'Columns of the report, by mtr\'s letters: L loss, D dropped, R received, S sent, N newest, B best, A average, W worst, V deviation, G geometric mean, J jitter, M its mean, X its worst, I interarrival jitter' -r
complete -c mtr -l format -d 'The form of the report' -r -f -a "text\t'A table for people'
mtr-json\t'As `mtr --json`'
mtr-csv\t'As `mtr --csv`'
mtr-raw\t'As `mtr --raw`'
dot\t'A graph for Graphviz'"
complete -c mtr -s I -l interface -d 'Send through this network interface, or from this address of this host' -r
complete -c mtr -l ttl -d 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255' -r
complete -c mtr -l dscp -d 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le' -r
complete -c mtr -s a -l source -l address -d 'Send from this address of this host' -r
complete -c mtr -l label -d 'Label the record; once for each label' -r
complete -c mtr -l fail-on -d 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold' -r
complete -c mtr -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c mtr -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c mtr -l icmp -d 'Probe with ICMP echo requests, which is the rule for one flow'
complete -c mtr -s u -l udp -d 'Probe with UDP datagrams, which is the rule for several flows'
complete -c mtr -s T -l tcp -d 'Probe with TCP SYNs; a port that answers is reset at once'
complete -c mtr -l quic -d 'Probe with UDP datagrams of 1200 octets, as QUIC\'s first, to port 443'
complete -c mtr -s n -l no-dns -d 'Do not look up the names of addresses'
complete -c mtr -s r -l report -d 'Print a report, which is the rule here (mtr\'s letter)'
complete -c mtr -s w -l report-wide -d 'Cut no names in the report'
complete -c mtr -s b -l show-ips -d 'Show addresses beside names'
complete -c mtr -s z -l aslookup -d 'Show the number of each hop\'s autonomous system, from a local database'
complete -c mtr -s e -l mpls -d 'Write MPLS labels with --mtr-raw too; tables show them without being asked'
complete -c mtr -s j -l mtr-json -d 'As `--format mtr-json`'
complete -c mtr -s C -l mtr-csv -d 'As `--format mtr-csv`'
complete -c mtr -s l -l mtr-raw -l raw -d 'As `--format mtr-raw`'
complete -c mtr -l dot -d 'As `--format dot`: the path, or with --mda every path, as a graph for Graphviz'
complete -c mtr -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c mtr -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c mtr -l ecn -d 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)'
complete -c mtr -l json -d 'Print the record as one line of JSON'
complete -c mtr -l csv -d 'Print the record as CSV: a header, then a row of base units, or one for each of ping\'s targets'
complete -c mtr -s q -l quiet -d 'Print only the summary'
complete -c mtr -s D -l timestamps -d 'Begin each line with its time, in seconds since 1970'
complete -c mtr -l watch -d 'Measure again and again, and draw it on a terminal, until told to stop'
complete -c mtr -l save -d 'Keep the record in the store (the file\'s store.save makes this the rule)'
complete -c mtr -l no-save -d 'Keep nothing, whatever store.save says'
complete -c mtr -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c mtr -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mtu -s p -l port -d 'UDP port of a waddleperf reflector and TCP port whose segment size is read [default: 2000, and 443 or 80]' -r
complete -c mtu -s M -l method -d 'What carries the packets' -r -f -a "auto\t'ICMP echo, and a waddleperf reflector where there is one; what else is answered where echo is not'
icmp\t'ICMP echo only'
reflector\t'A waddleperf reflector only: tells the two directions apart'
udp\t'UDP to ports where nobody listens: the host\'s "port unreachable" is the answer'
tcp\t'TCP SYN with data (needs CAP_NET_RAW): SYN-ACK or RST is the answer'"
complete -c mtu -l min -d 'The smallest size to try, octets of IP packet [default: 68]' -r
complete -c mtu -l max -d 'The largest size to try, octets of IP packet [default: what the interface sends, at most 9216]' -r
complete -c mtu -s W -l timeout -d 'How long to wait for the first answer; later ones are given three round trips' -r
complete -c mtu -s w -l deadline -d 'How long the whole run may take' -r
complete -c mtu -l key-file -d 'File with the key that the reflector shares (its octets, without white space at the ends)' -r -F
complete -c mtu -l source -d 'Send from this address of this host' -r
complete -c mtu -s I -l interface -d 'Send through this network interface, or from this address of this host' -r
complete -c mtu -l ttl -d 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255' -r
complete -c mtu -l dscp -d 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le' -r
complete -c mtu -l label -d 'Label the record; once for each label' -r
complete -c mtu -l fail-on -d 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold' -r
complete -c mtu -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c mtu -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c mtu -l hops -d 'Look at each hop of the way even if nothing is in the way'
complete -c mtu -s n -l numeric -d 'Give addresses of hops, not names: no DNS server is asked for them'
complete -c mtu -l no-tcp -d 'Do not connect to a TCP port of the target'
complete -c mtu -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c mtu -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c mtu -l ecn -d 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)'
complete -c mtu -l json -d 'Print the record as one line of JSON'
complete -c mtu -l csv -d 'Print the record as CSV: a header, then a row of base units, or one for each of ping\'s targets'
complete -c mtu -s q -l quiet -d 'Print only the summary'
complete -c mtu -s D -l timestamps -d 'Begin each line with its time, in seconds since 1970'
complete -c mtu -l watch -d 'Measure again and again, and draw it on a terminal, until told to stop'
complete -c mtu -l save -d 'Keep the record in the store (the file\'s store.save makes this the rule)'
complete -c mtu -l no-save -d 'Keep nothing, whatever store.save says'
complete -c mtu -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c mtu -s h -l help -d 'Print help (see more with \'--help\')'
complete -c portscan -s L -l file -l input-list -d 'Scan what this file lists too, words with white space between, `-` is standard input: nmap\'s -iL FILE' -r -F
complete -c portscan -l exclude -d 'Leave these out, written as targets are; several between commas' -r
complete -c portscan -s s -l scan -d 'How to ask, as nmap\'s -sT, -sS, -sU, -sSU: `T` or connect (the default), `S` or syn (needs CAP_NET_RAW), `U` or udp' -r
complete -c portscan -s p -l ports -d 'Ports: `22,80,1-1024`, `-` for all, names as `http*`; behind `T:` or `U:` of that protocol only' -r
complete -c portscan -l top-ports -l top -d 'Only N ports: the 100 that are open most often, then those of known services, then by number; beyond 100 that is not nmap\'s list [default: 1000]' -r
complete -c portscan -s T -l timing -d 'How fast and how patient, as nmap\'s -T: 0 (a question in 5 minutes) to 5 (in a hurry, on a good line)' -r
complete -c portscan -l min-rate -d 'Questions per second at least, whatever is lost; lifts the ceiling of 1000 as --max-rate does' -r
complete -c portscan -l max-rate -l rate -d 'Questions per second at most, of all hosts together [default: 1000 after the first 1000, but none for this host\'s own addresses and none with -T4, -T5 and --min-rate]' -r
complete -c portscan -l max-retries -d 'How often a silent port is asked again at most [default: 10, and more where answers are rationed]' -r
complete -c portscan -s w -l deadline -l host-timeout -d 'End after this time, whatever is known then' -r
complete -c portscan -s P -d 'As nmap\'s -Pn, and always so: no host is asked first whether it is there' -r -f -a "n\t''"
complete -c portscan -l source -d 'Send from this address of this host' -r
complete -c portscan -s I -l interface -d 'Send through this network interface, or from this address of this host' -r
complete -c portscan -l ttl -d 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255' -r
complete -c portscan -l dscp -d 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le' -r
complete -c portscan -l label -d 'Label the record; once for each label' -r
complete -c portscan -l fail-on -d 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold' -r
complete -c portscan -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c portscan -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c portscan -s F -l fast -d 'Only the 100 ports that are open most often'
complete -c portscan -l banner -d 'Read what open TCP ports say, and how they speak TLS'
complete -c portscan -l open -d 'Show open ports only'
complete -c portscan -l reason -d 'Show why a port is said to be what it is, and who says so'
complete -c portscan -l all -d 'List every port, however many there are of a kind'
complete -c portscan -l yes -d 'Yes, scan more than one host'
complete -c portscan -s n -d 'As nmap\'s -n, and always so: no address is resolved to a name'
complete -c portscan -s i -d 'The first letter of nmap\'s -iL'
complete -c portscan -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c portscan -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c portscan -l ecn -d 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)'
complete -c portscan -l json -d 'Print the record as one line of JSON'
complete -c portscan -l csv -d 'Print the record as CSV: a header, then a row of base units, or one for each of ping\'s targets'
complete -c portscan -s q -l quiet -d 'Print only the summary'
complete -c portscan -s D -l timestamps -d 'Begin each line with its time, in seconds since 1970'
complete -c portscan -l watch -d 'Measure again and again, and draw it on a terminal, until told to stop'
complete -c portscan -l save -d 'Keep the record in the store (the file\'s store.save makes this the rule)'
complete -c portscan -l no-save -d 'Keep nothing, whatever store.save says'
complete -c portscan -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c portscan -s h -l help -d 'Print help (see more with \'--help\')'
complete -c resolvertime -s d -l domain -d 'The name to look up [default: the root]' -r
complete -c resolvertime -s x -l reverse -d 'Look up the name of this address, as dig\'s -x' -r
complete -c resolvertime -s t -l type -d 'The type of records to ask for: a mnemonic or TYPE123 [default: A; of the root NS]' -r
complete -c resolvertime -s s -l server -d 'Ask this server: an address or a name, with :PORT if need be, or a URL (udp:, tcp:, tls:, https:, quic:; #NAME behind it is the name in its certificate); once for each [default: those of resolv.conf(5), and this host\'s own way]' -r
complete -c resolvertime -s p -l port -d 'The servers\' port [default: 53; tls and quic: 853; https: 443]' -r
complete -c resolvertime -l transport -d 'How queries travel, where the server is no URL' -r -f -a "udp\t'UDP (RFC 1035 §4.2.1), and TCP where an answer is truncated'
tcp\t'TCP (RFC 7766)'
dot\t'TLS (RFC 7858)'
doh\t'HTTPS (RFC 8484), by HTTP/2'
doq\t'QUIC (RFC 9250)'"
complete -c resolvertime -l path -d 'The path of the service, over HTTPS' -r
complete -c resolvertime -l tls-name -d 'The name that the server\'s certificate must have [default: that of the server, or its address]' -r
complete -c resolvertime -l ca-file -l cacert -d 'Believe the certificate authorities in this file (PEM), and none else' -r -F
complete -c resolvertime -s c -l count -d 'Ask each server this often [default: 10; with +short 1]' -r
complete -c resolvertime -s i -l interval -d 'Time between two queries to one server; servers take turns within it' -r
complete -c resolvertime -s W -l timeout -d 'How long to wait for each answer' -r
complete -c resolvertime -l tries -d 'How often a query without an answer is sent, each time with a new identifier; each counts as one' -r
complete -c resolvertime -l bufsize -d 'Octets of an answer over UDP that are accepted (EDNS)' -r
complete -c resolvertime -l hints -d 'Begin a trace at the servers of this file: addresses, or the form of named.root [default: the root servers of 2025]' -r -F
complete -c resolvertime -l absent-zone -d 'The zone of the name that cannot be' -r
complete -c resolvertime -l cold-zone -d 'A zone that has every name (a wildcard): a random one of it cannot be in a cache, and its time is the cold one' -r
complete -c resolvertime -l load -d 'Send the questions of this file to the server, over udp, tcp or dot: a name and a type on each line, as dnsperf\'s' -r -F
complete -c resolvertime -l qps -d 'With --load: queries per second; above 1,000 those of a millisecond go together [default: as many as are answered]' -r
complete -c resolvertime -s l -l duration -l limit -d 'With --load: for so long [default: 10s; with -c that often through the file]' -r
complete -c resolvertime -l outstanding -d 'With --load: queries that wait for their answers at once, at most' -r
complete -c resolvertime -l clients -d 'With --load: sockets, each with a port of its own; over TCP and TLS connections' -r
complete -c resolvertime -l source -d 'Send from this address of this host' -r
complete -c resolvertime -s I -l interface -d 'Send through this network interface, or from this address of this host' -r
complete -c resolvertime -l ttl -d 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255' -r
complete -c resolvertime -l dscp -d 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le' -r
complete -c resolvertime -l label -d 'Label the record; once for each label' -r
complete -c resolvertime -l fail-on -d 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold' -r
complete -c resolvertime -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c resolvertime -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c resolvertime -l system -d 'Ask the system\'s too, besides those that are named: each of resolv.conf(5), and getaddrinfo(3)'
complete -c resolvertime -l get -d 'Ask by GET, over HTTPS (RFC 8484 §4.1)'
complete -c resolvertime -s k -l insecure -d 'Go on whoever the server is; what is wrong with its certificate is said'
complete -c resolvertime -l fresh -d 'Make a new connection for each query, where one would be used again'
complete -c resolvertime -l dnssec -d 'Ask for signatures, and find out whether the server validates: secure, insecure, bogus, unsupported'
complete -c resolvertime -l unchecked -d 'Ask for what does not validate, too (CD)'
complete -c resolvertime -l no-recurse -d 'Do not ask for recursion (RD)'
complete -c resolvertime -l no-edns -d 'Do without EDNS'
complete -c resolvertime -l no-cookie -d 'Send no cookies, which prove that an answer is the server\'s own (RFC 7873)'
complete -c resolvertime -l ignore-truncation -d 'Leave a truncated answer as it is, where it would be asked for again over TCP'
complete -c resolvertime -l no-case -d 'Leave the letters of the name as they are: by default their case is mixed, so that no guessed answer passes'
complete -c resolvertime -l short -d 'Print the answers alone, as dig\'s +short'
complete -c resolvertime -l trace -d 'Go from the root servers down, one server of each zone after the other'
complete -c resolvertime -l check -d 'Ask for a name that cannot be, and find out what the server makes of it: an address is a hijack'
complete -c resolvertime -l sizes -d 'Find out which sizes get through over UDP: padded queries on the way there, long answers on the way back'
complete -c resolvertime -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c resolvertime -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c resolvertime -l ecn -d 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)'
complete -c resolvertime -l json -d 'Print the record as one line of JSON'
complete -c resolvertime -l csv -d 'Print the record as CSV: a header, then a row of base units, or one for each of ping\'s targets'
complete -c resolvertime -s q -l quiet -d 'Print only the summary'
complete -c resolvertime -s D -l timestamps -d 'Begin each line with its time, in seconds since 1970'
complete -c resolvertime -l watch -d 'Measure again and again, and draw it on a terminal, until told to stop'
complete -c resolvertime -l save -d 'Keep the record in the store (the file\'s store.save makes this the rule)'
complete -c resolvertime -l no-save -d 'Keep nothing, whatever store.save says'
complete -c resolvertime -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c resolvertime -s h -l help -d 'Print help (see more with \'--help\')'
complete -c httptrace -s X -l request -d 'Method of the request [default: GET, with -d POST, with -I HEAD]' -r
complete -c httptrace -s H -l header -d 'A header of the request, `Name: value`; `Name:` leaves one out; `@FILE` has one on each line. What tells who asks (Authorization, Cookie, …) is better kept in a file: arguments can be read by everybody on this host' -r
complete -c httptrace -s d -l body -d 'Send this as a form, several joined by `&`; `@FILE` sends what is in it, without line ends; `@-` is standard input. curl\'s long name for it, --data, means this program\'s own data here' -r
complete -c httptrace -l body-binary -l data-binary -d 'Send this as it is; `@FILE` sends what is in it' -r
complete -c httptrace -s u -l user -d 'curl\'s -u, which is refused: everybody on this host could read it' -r
complete -c httptrace -l user-file -d 'Send the `user:password` in this file\'s first line (Basic, RFC 7617)' -r -F
complete -c httptrace -s A -l user-agent -d 'What the request says that it comes from [default: waddleperf and its version]' -r
complete -c httptrace -l max-redirs -d 'Redirects that are followed at most' -r
complete -c httptrace -l cacert -l ca-file -d 'Believe the authorities in this file (PEM) alone' -r -F
complete -c httptrace -l resolve -d 'Use these addresses for a host and port, HOST:PORT:ADDRESS, or more addresses behind commas; `*` is any host' -r
complete -c httptrace -l connect-to -d 'Connect to another host and port, HOST1:PORT1:HOST2:PORT2; an empty one is any, or the same' -r
complete -c httptrace -s m -l max-time -d 'End each repeat after this time, redirects included' -r
complete -c httptrace -l connect-timeout -d 'End each look-up, connection and TLS handshake, together, after this time' -r
complete -c httptrace -l max-bytes -d 'Octets of a body that are accepted, also decoded [default: 10485760; with -o no limit]' -r
complete -c httptrace -s o -l output -d 'Write the body into this file; `-` is standard output' -r -F
complete -c httptrace -s c -l count -d 'Ask this often' -r
complete -c httptrace -l interval -d 'Time between the end of a repeat and the next' -r
complete -c httptrace -l expect -d 'What the answer must be, else the exit code is 1: status=200 (or 2xx), header:NAME=VALUE, body~EXPRESSION, json:/POINTER=VALUE; once for each' -r
complete -c httptrace -s w -l write-out -d 'Print this instead, with curl\'s variables such as %{time_total}; `@FILE` has it. Of several repeats the last is told' -r
complete -c httptrace -l format -d 'How text looks' -r -f -a "text\t'A waterfall'
curl-json\t'What `curl -w \'%{json}\'` prints'"
complete -c httptrace -l har -d 'Write the requests and answers, the first 1000 at most, into this file, as HAR 1.2' -r -F
complete -c httptrace -l source -d 'Send from this address of this host' -r
complete -c httptrace -l ttl -d 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255' -r
complete -c httptrace -l dscp -d 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le' -r
complete -c httptrace -l interface -d 'Send through this network interface, or from this address of this host' -r
complete -c httptrace -l label -d 'Label the record; once for each label' -r
complete -c httptrace -l fail-on -d 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold' -r
complete -c httptrace -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c httptrace -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c httptrace -s I -l head -d 'Ask for the head alone'
complete -c httptrace -l compressed -d 'Ask for a compressed body (zstd, br, gzip, deflate), decode it, and count it before and after'
complete -c httptrace -s L -l location -d 'Follow redirects: this is always so unless --no-location is given'
complete -c httptrace -l no-location -d 'Do not follow redirects'
complete -c httptrace -s k -l insecure -d 'Accept whatever certificate is shown. The report says so, and what is wrong with it'
complete -c httptrace -l http1.1 -d 'Speak HTTP/1.1 only'
complete -c httptrace -l http2 -d 'Speak HTTP/2 where the server offers it (ALPN): the default'
complete -c httptrace -l http2-prior-knowledge -d 'Speak HTTP/2, also without TLS'
complete -c httptrace -l http3 -d 'Try HTTP/3 beside the others, and use whichever connection stands first'
complete -c httptrace -l http3-only -d 'Speak HTTP/3 only'
complete -c httptrace -l keepalive -d 'Ask each time over the same connection (warm), instead of over a new one (cold)'
complete -c httptrace -l resume -d 'Let new connections resume the TLS sessions of earlier legs and repeats (tickets, RFC 8446 §2.2); otherwise each handshake is a whole one. No early data is sent'
complete -c httptrace -s f -l fail -d 'End with 1 when the status is 400 or above'
complete -c httptrace -l show-secrets -d 'Show what tells who asks (Authorization, Cookie, …) in report and HAR, instead of masking it'
complete -c httptrace -s s -l silent -d 'curl\'s -s, and always so'
complete -c httptrace -s S -l show-error -d 'curl\'s -S, and always so'
complete -c httptrace -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c httptrace -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c httptrace -l ecn -d 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)'
complete -c httptrace -l json -d 'Print the record as one line of JSON'
complete -c httptrace -l csv -d 'Print the record as CSV: a header, then a row of base units, or one for each of ping\'s targets'
complete -c httptrace -s q -l quiet -d 'Print only the summary'
complete -c httptrace -s D -l timestamps -d 'Begin each line with its time, in seconds since 1970'
complete -c httptrace -l watch -d 'Measure again and again, and draw it on a terminal, until told to stop'
complete -c httptrace -l save -d 'Keep the record in the store (the file\'s store.save makes this the rule)'
complete -c httptrace -l no-save -d 'Keep nothing, whatever store.save says'
complete -c httptrace -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c httptrace -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tls -s p -l port -d 'The port [default: 443, or that of what --starttls names]' -r
complete -c tls -l servername -d 'Ask for this name (SNI) and expect its certificate [default: the target]' -r
complete -c tls -l starttls -d 'Speak this first, and then change to TLS' -r -f -a "smtp\t'SMTP (RFC 3207)'
imap\t'IMAP (RFC 9051 §6.2.1)'
pop3\t'POP3 (RFC 2595 §4)'
ftp\t'FTP (RFC 4217)'
ldap\t'LDAP (RFC 4511 §4.14)'
postgres\t'PostgreSQL\'s SSLRequest'
mysql\t'MySQL\'s and MariaDB\'s SSLRequest'
xmpp\t'XMPP, as a client (RFC 6120 §5)'
xmpp-server\t'XMPP, as another server'"
complete -c tls -l alpn -d 'Offer these application protocols, separated by commas [default: h2,http/1.1; none with --starttls]' -r
complete -c tls -l ca-file -l cacert -d 'Believe the authorities in this file (PEM), and no others [default: this host\'s]' -r -F
complete -c tls -l rate -d 'Connections per second of a scan at most [default: as fast as it answers four at the same time]' -r
complete -c tls -l expiry-warn -d 'Warn of certificates that expire within this time' -r
complete -c tls -l timeout -d 'How long each step of a connection may take: connecting, STARTTLS, the handshake' -r
complete -c tls -s w -l deadline -d 'End after this time, whatever is known then' -r
complete -c tls -l source -d 'Send from this address of this host' -r
complete -c tls -s I -l interface -d 'Send through this network interface, or from this address of this host' -r
complete -c tls -l ttl -d 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255' -r
complete -c tls -l dscp -d 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le' -r
complete -c tls -l label -d 'Label the record; once for each label' -r
complete -c tls -l fail-on -d 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold' -r
complete -c tls -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c tls -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c tls -l scan -d 'Ask for everything that it offers: versions, suites, groups, signatures, and what is weak about them'
complete -c tls -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c tls -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c tls -l ecn -d 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)'
complete -c tls -l json -d 'Print the record as one line of JSON'
complete -c tls -l csv -d 'Print the record as CSV: a header, then a row of base units, or one for each of ping\'s targets'
complete -c tls -s q -l quiet -d 'Print only the summary'
complete -c tls -s D -l timestamps -d 'Begin each line with its time, in seconds since 1970'
complete -c tls -l watch -d 'Measure again and again, and draw it on a terminal, until told to stop'
complete -c tls -l save -d 'Keep the record in the store (the file\'s store.save makes this the rule)'
complete -c tls -l no-save -d 'Keep nothing, whatever store.save says'
complete -c tls -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c tls -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sshping -s p -l port -d 'The server\'s port [default: 22, or what ~/.ssh/config says]' -r
complete -c sshping -s l -l login -d 'Log in as this user [default: what ~/.ssh/config says, or you]' -r
complete -c sshping -s i -l identity -d 'Log in with this private key; may be given several times [default: the agent\'s, then ~/.ssh/id_ed25519, id_ecdsa, id_rsa]' -r -F
complete -c sshping -l passphrase-file -d 'What unlocks the private key is the content of this file, which only you can read' -r -F
complete -c sshping -l password-file -d 'The password is the content of this file, which only you can read; or of the variable WADDLEPERF_SSH_PASSWORD' -r -F
complete -c sshping -l host-key -d 'The server\'s key has this fingerprint (SHA256:…, as `ssh-keygen -lf` shows it); no file is asked' -r
complete -c sshping -l known-hosts -d 'The file of known hosts [default: ~/.ssh/known_hosts, and /etc/ssh/ssh_known_hosts]' -r -F
complete -c sshping -s F -l ssh-config -d 'Read this instead of ~/.ssh/config; `none` reads none' -r -F
complete -c sshping -s c -l count -d 'Characters to send, one after the other has come back' -r
complete -c sshping -s t -l time -l echotime -d 'Send no more of them after this time' -r
complete -c sshping -s e -l echo-command -l echocmd -d 'The far side\'s program that sends back what it gets' -r
complete -c sshping -s s -l size -l speedsize -d 'MB to send and to fetch' -r
complete -c sshping -s r -l runtests -d 'Only one of the two: e measures echoes, s speed [default: both]' -r -f -a "e\t'Characters there and back'
s\t'What goes through'"
complete -c sshping -s T -l connect-timeout -d 'A connection stands within this time' -r
complete -c sshping -s w -l deadline -d 'End after this time, whatever is known then' -r
complete -c sshping -l source -d 'Send from this address of this host' -r
complete -c sshping -s I -l interface -d 'Send through this network interface, or from this address of this host' -r
complete -c sshping -l ttl -d 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255' -r
complete -c sshping -l dscp -d 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le' -r
complete -c sshping -l label -d 'Label the record; once for each label' -r
complete -c sshping -l fail-on -d 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold' -r
complete -c sshping -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c sshping -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c sshping -l no-agent -d 'Do not ask the agent for keys'
complete -c sshping -l no-auth -d 'Do not log in: only connect and exchange keys, to see that the server is well. The server\'s key is not judged then'
complete -c sshping -l accept-new -d 'Believe a server that nothing is known of, and write its key into the file of known hosts. A changed key never passes'
complete -c sshping -l tty -d 'Let a terminal echo, below a shell, as when a person types'
complete -c sshping -l sftp -d 'Send and fetch a file below /tmp by SFTP, instead of zeros through programs. It is removed afterwards'
complete -c sshping -s P -l pingsummary -d 'End with a line as ping\'s: rtt min/avg/max/mdev'
complete -c sshping -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c sshping -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c sshping -l ecn -d 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)'
complete -c sshping -l json -d 'Print the record as one line of JSON'
complete -c sshping -l csv -d 'Print the record as CSV: a header, then a row of base units, or one for each of ping\'s targets'
complete -c sshping -s q -l quiet -d 'Print only the summary'
complete -c sshping -s D -l timestamps -d 'Begin each line with its time, in seconds since 1970'
complete -c sshping -l watch -d 'Measure again and again, and draw it on a terminal, until told to stop'
complete -c sshping -l save -d 'Keep the record in the store (the file\'s store.save makes this the rule)'
complete -c sshping -l no-save -d 'Keep nothing, whatever store.save says'
complete -c sshping -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c sshping -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bandwidth -s c -l client -d 'The same, as iperf3\'s users write it' -r
complete -c bandwidth -s p -l port -d 'The server\'s port' -r
complete -c bandwidth -s t -l time -d 'Transmit for this time; 0 until interrupted' -r
complete -c bandwidth -s n -l bytes -d 'Transmit so many octets (10M are 10 x 2^20), all streams together, instead of for a time' -r
complete -c bandwidth -s k -l blockcount -d 'Transmit so many blocks or datagrams, all streams together, instead of for a time' -r
complete -c bandwidth -s O -l omit -d 'Transmit for this time first, which does not count: TCP\'s slow start' -r
complete -c bandwidth -s i -l interval -d 'A line after each interval, 0.1 to 60 s; 0 is none' -r
complete -c bandwidth -s P -l parallel -d 'So many streams at once, in each direction' -r
complete -c bandwidth -s b -l bitrate -l bandwidth -d 'Bits per second of each stream and direction (20M are 20 x 10^6), 0 for as fast as can be; /N lets N packets leave back to back [default: 1M over UDP, 0 over TCP]' -r
complete -c bandwidth -l fq-rate -d 'Bits per second of each stream and direction that the kernel keeps to (SO_MAX_PACING_RATE; over UDP where the interface\'s queue is fq)' -r
complete -c bandwidth -s l -l length -d 'Octets of each write or datagram [default: 128K over TCP; over UDP what the path takes in one packet]' -r
complete -c bandwidth -s w -l window -d 'Socket buffers of both ends, which bound the window' -r
complete -c bandwidth -s M -l set-mss -d 'Largest TCP segment (MSS), octets' -r
complete -c bandwidth -s S -l tos -d 'Type of service of what both ends send, 0-255; 0x and 0 in front as in C' -r
complete -c bandwidth -s L -l flowlabel -d 'IPv6\'s flow label (RFC 6437) of what both ends send, 1-1048575; 0x in front as in C' -r
complete -c bandwidth -s C -l congestion -d 'TCP congestion control of both ends, such as cubic, reno or bbr' -r
complete -c bandwidth -s B -l bind -d 'Bind to this address of this host, and %DEVICE' -r
complete -c bandwidth -l cport -d 'Data leave from this port, and from those after it' -r
complete -c bandwidth -l connect-timeout -d 'The control connection stands within this time (a bare number is ms)' -r
complete -c bandwidth -l rcv-timeout -d 'Give up when nothing was received for this time (a bare number is ms)' -r
complete -c bandwidth -l snd-timeout -d 'Give a connection up when what was sent had no answer for this time (a bare number is ms) [default: the system\'s]' -r
complete -c bandwidth -l cntl-ka -d 'When the control connection, quiet while the test runs, is asked whether it lives: seconds of silence, seconds between questions, questions' -r
complete -c bandwidth -s A -l affinity -d 'Run on this processor, and after a comma the one that the server is asked to run on' -r
complete -c bandwidth -l loss -d 'The share of datagrams that --find-max allows to be lost' -r
complete -c bandwidth -l trial -d 'How long each test of --find-max sends; the last one, of the rate that is found, sends for --time' -r
complete -c bandwidth -l retry-busy -d 'Ask a server that is busy again, after 1, 2, 4 … seconds, for so long' -r
complete -c bandwidth -l latency -d 'Measure round trips before the bulk and while it runs: what queues on the way add to them (bufferbloat)' -r -f -a "icmp\t'ICMP echoes'
udp\t'Packets to a waddleperf reflector (UDP 2000)'
tcp\t'TCP connections to another port of the server (--latency-port); a refusal is an answer, too'"
complete -c bandwidth -l latency-port -d 'The port that --latency=tcp knocks at, open or closed: not the test\'s own, where stock servers take every connection for a client' -r
complete -c bandwidth -s T -l title -d 'A title, for the record and the server\'s' -r
complete -c bandwidth -l extra-data -d 'A text for the server\'s record' -r
complete -c bandwidth -s f -l format -d 'Unit of the rates that are printed: k, m, g or t for bits by powers of 1000, K, M, G or T for octets by powers of 1024' -r
complete -c bandwidth -l style -d 'Whose words name the units of what is printed' -r -f -a "waddleperf\t'Our own: Mbit/s, MiB'
iperf3\t'iperf3\'s: Mbits/sec, MBytes, and what it says before and after a test'"
complete -c bandwidth -l timestamp-format -d 'Begin each line with its time, as strftime(3) writes it (`%H:%M:%S`)' -r
complete -c bandwidth -l logfile -d 'Write what is printed into this file instead, at its end' -r -F
complete -c bandwidth -l username -d 'Log in by this name; the password is that of --password-file, or of the variable IPERF3_PASSWORD' -r
complete -c bandwidth -l rsa-public-key-path -d 'The server\'s public RSA key (PEM), which the login is encrypted for' -r -F
complete -c bandwidth -l password-file -d 'The password is the content of this file, which only you can read' -r -F
complete -c bandwidth -l source -d 'Send from this address of this host' -r
complete -c bandwidth -s I -l interface -d 'Send through this network interface, or from this address of this host' -r
complete -c bandwidth -l ttl -d 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255' -r
complete -c bandwidth -l dscp -d 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le' -r
complete -c bandwidth -l label -d 'Label the record; once for each label' -r
complete -c bandwidth -l fail-on -d 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold' -r
complete -c bandwidth -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c bandwidth -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c bandwidth -s u -l udp -d 'UDP instead of TCP'
complete -c bandwidth -s R -l reverse -d 'The server sends, this host receives'
complete -c bandwidth -l bidir -d 'Both send at once'
complete -c bandwidth -s N -l no-delay -d 'Do not hold back small writes (Nagle\'s algorithm off)'
complete -c bandwidth -s m -l mptcp -d 'Connections over several paths at once (Multipath TCP, RFC 8684), where the server and the system have it; else over one. Of several, what only the kernel knows (retransmits, RTT, cwnd) is not known'
complete -c bandwidth -s Z -l zerocopy -d 'Ask a server other than waddleperf\'s, too, to send without copying'
complete -c bandwidth -l repeating-payload -d 'The payload is a pattern, which a compressing link makes less of; else random'
complete -c bandwidth -l dont-fragment -d 'Over IPv4 datagrams must not be fragmented (DF)'
complete -c bandwidth -l rx-copy -d 'Copy what is received, as an application would, instead of having the kernel throw it away'
complete -c bandwidth -l tx-copy -d 'Copy what is sent, as most applications do, instead of lending the kernel the payload\'s own pages'
complete -c bandwidth -l gso -l gsro -d 'Let the kernel cut and join datagrams of UDP (GSO, GRO): many more of them, in bursts'
complete -c bandwidth -l find-max -d 'Find the highest rate over UDP of which no more is lost than --loss, by short tests of ever other rates, up to that of -b'
complete -c bandwidth -l get-server-output -d 'Also show what the server says of the test'
complete -c bandwidth -l forceflush -d 'Flush each line; they always are'
complete -c bandwidth -s J -l iperf3-json -d 'Print what `iperf3 -J` would, and nothing else'
complete -c bandwidth -l json-stream -d 'Print a line of JSON when it begins, after each interval and at its end, as `iperf3 --json-stream` does'
complete -c bandwidth -l udp-counters-64bit -d 'Sequence numbers have 64 bits; they always have'
complete -c bandwidth -l use-pkcs1-padding -d 'Encrypt it as iperf3 up to 3.16 does (PKCS#1 v1.5 instead of OAEP), which servers from 3.17 on refuse unless they are told'
complete -c bandwidth -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c bandwidth -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c bandwidth -l ecn -d 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)'
complete -c bandwidth -l json -d 'Print the record as one line of JSON'
complete -c bandwidth -l csv -d 'Print the record as CSV: a header, then a row of base units, or one for each of ping\'s targets'
complete -c bandwidth -s q -l quiet -d 'Print only the summary'
complete -c bandwidth -s D -l timestamps -d 'Begin each line with its time, in seconds since 1970'
complete -c bandwidth -l watch -d 'Measure again and again, and draw it on a terminal, until told to stop'
complete -c bandwidth -l save -d 'Keep the record in the store (the file\'s store.save makes this the rule)'
complete -c bandwidth -l no-save -d 'Keep nothing, whatever store.save says'
complete -c bandwidth -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c bandwidth -s h -l help -d 'Print help (see more with \'--help\')'
complete -c capture -s i -l interface -d 'Capture on this interface, or on `any` [default: the one that leads to TARGET, else any]' -r
complete -c capture -s f -l filter -d 'Keep only what this accepts, by pcap-filter(7) without arithmetic: `tcp port 80 and not net 10`' -r
complete -c capture -l bpf -d 'Keep only what this compiled filter accepts: what `tcpdump -ddd` prints, with commas for its line ends' -r
complete -c capture -s c -l count -d 'Stop after this many packets' -r
complete -c capture -l duration -d 'Stop after this time' -r
complete -c capture -l size -d 'Stop before the file, or all files together, have more than this many MiB; a ring by -C and -W bounds itself' -r
complete -c capture -s s -l snaplen -l snapshot-length -d 'Octets that are kept of each packet; 128 hold its headers, 0 is all' -r
complete -c capture -s w -l write -d 'Write the packets to this file (pcapng, readable by its owner only); `-` is stdout. With -G, `%` is strftime(3)\'s' -r -F
complete -c capture -s C -l file-size -d 'Go on in another file before one has more than so many millions of octets' -r
complete -c capture -s W -l files -d 'Keep the latest N files only, with -C or -G (tcpdump -G ends after N)' -r
complete -c capture -s G -l rotate -d 'Go on in another file after this time' -r
complete -c capture -s B -l buffer -d 'KiB of the ring that the kernel writes to' -r
complete -c capture -l label -d 'Label the record; once for each label' -r
complete -c capture -l fail-on -d 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold' -r
complete -c capture -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c capture -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c capture -s e
complete -c capture -s U
complete -c capture -l list-interfaces -d 'Print what -i may name, and nothing else (tcpdump\'s -D)'
complete -c capture -s r -l read -d 'TARGET is a file: sum up its packets instead of capturing'
complete -c capture -l all -d 'Keep the packets of every host'
complete -c capture -l own -d 'Keep the packets of the ssh connection that this was started through, too'
complete -c capture -l full -d 'Keep whole packets, as -s 0 does'
complete -c capture -l pcap -d 'Write pcap with nanoseconds instead of pcapng'
complete -c capture -l redact -d 'Write zeros for all behind the transport\'s header'
complete -c capture -l anon -d 'Replace addresses by others with the same prefixes in common, by a key that is forgotten; redacts as well'
complete -c capture -l promisc -d 'Capture also what is for other hosts, where the interface sees it'
complete -c capture -s p -l no-promisc -d 'Capture only what is for this host, which is so unless --promisc is set (tcpdump\'s -p)'
complete -c capture -s n -l numeric -d 'Print numbers, not names: always so, for tcpdump\'s users, who may say it twice'
complete -c capture -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c capture -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c capture -l json -d 'Print the record as one line of JSON'
complete -c capture -l csv -d 'Print the record as CSV: a header, then a row of base units, or one for each of ping\'s targets'
complete -c capture -s q -l quiet -d 'Print only the summary'
complete -c capture -s D -l timestamps -d 'Begin each line with its time, in seconds since 1970'
complete -c capture -l watch -d 'Measure again and again, and draw it on a terminal, until told to stop'
complete -c capture -l save -d 'Keep the record in the store (the file\'s store.save makes this the rule)'
complete -c capture -l no-save -d 'Keep nothing, whatever store.save says'
complete -c capture -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c capture -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sysinfo -l only -d 'Only these parts, separated by commas [default: all]' -r -f -a "host\t'Operating system, kernel, virtualization'
cpu\t'Processors, load, pressure, limits of the control group'
memory\t'Memory and swap'
disks\t'File systems'
clock\t'How well the clock is set'
interfaces\t'Network interfaces, their addresses, errors, drivers and queues'
routes\t'Routes, rules and neighbours'
resolvers\t'Who resolves names, and proxies'
kernel\t'The kernel\'s network settings and counters'
sockets\t'Sockets by state, and who listens'"
complete -c sysinfo -l rate -d 'Read counters twice, this long apart, so that they become rates' -r
complete -c sysinfo -l diff -d 'Tell what has changed since the record in FILE, as --json writes it (- is standard input); given twice, what changed from the first to the second, and this host is not looked at' -r -F
complete -c sysinfo -l label -d 'Label the record; once for each label' -r
complete -c sysinfo -l fail-on -d 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold' -r
complete -c sysinfo -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c sysinfo -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c sysinfo -l processes -d 'List the processes that use the most CPU time and memory, with their command lines'
complete -c sysinfo -l sockets -d 'List TCP connections with their round-trip times and retransmissions, those that lose most first'
complete -c sysinfo -l json -d 'Print the record as one line of JSON'
complete -c sysinfo -l csv -d 'Print the record as CSV: a header, then a row of base units, or one for each of ping\'s targets'
complete -c sysinfo -s q -l quiet -d 'Print only the summary'
complete -c sysinfo -s D -l timestamps -d 'Begin each line with its time, in seconds since 1970'
complete -c sysinfo -l watch -d 'Measure again and again, and draw it on a terminal, until told to stop'
complete -c sysinfo -l save -d 'Keep the record in the store (the file\'s store.save makes this the rule)'
complete -c sysinfo -l no-save -d 'Keep nothing, whatever store.save says'
complete -c sysinfo -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c sysinfo -s h -l help -d 'Print help (see more with \'--help\')'
# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_autoperf_global_optspecs
    string join \n target= tier= ignore-budget stagger= if-locked= strict nagios json q/quiet config= data= v/verbose h/help
end

function __fish_autoperf_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_autoperf_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_autoperf_using_subcommand
    set -l cmd (__fish_autoperf_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c autoperf -n "__fish_autoperf_needs_command" -l target -d 'Measure only this target; may be repeated' -r
complete -c autoperf -n "__fish_autoperf_needs_command" -l tier -d 'Run this tier now, whatever the state; its budget still counts' -r
complete -c autoperf -n "__fish_autoperf_needs_command" -l stagger -d 'First wait for a time up to this, which is this host\'s own: so that hosts with one crontab do not burst' -r
complete -c autoperf -n "__fish_autoperf_needs_command" -l if-locked -d 'What to do when another process measures already and takes no orders: end with 75, or with 0 and silently' -r -f -a "fail\t'End with 75'
skip\t'End with 0'"
complete -c autoperf -n "__fish_autoperf_needs_command" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c autoperf -n "__fish_autoperf_needs_command" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c autoperf -n "__fish_autoperf_needs_command" -l ignore-budget -d 'Run it although the day\'s budget is spent'
complete -c autoperf -n "__fish_autoperf_needs_command" -l strict -d 'End with 1 when a target is bad'
complete -c autoperf -n "__fish_autoperf_needs_command" -l nagios -d 'End with a Nagios plugin\'s codes and print its line, with performance data'
complete -c autoperf -n "__fish_autoperf_needs_command" -l json -d 'Print each run\'s record as one line of JSON'
complete -c autoperf -n "__fish_autoperf_needs_command" -s q -l quiet -d 'Print nothing but failures'
complete -c autoperf -n "__fish_autoperf_needs_command" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c autoperf -n "__fish_autoperf_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c autoperf -n "__fish_autoperf_needs_command" -a "run" -d 'One round of every target now, and what it leads to (also without this word)'
complete -c autoperf -n "__fish_autoperf_needs_command" -a "daemon" -d 'Measure on the schedule, in the foreground until told to stop'
complete -c autoperf -n "__fish_autoperf_needs_command" -a "check" -d 'Print what would be measured, how often, and the most that it sends; nothing is sent'
complete -c autoperf -n "__fish_autoperf_needs_command" -a "status" -d 'Print how the targets are'
complete -c autoperf -n "__fish_autoperf_using_subcommand run" -l target -d 'Measure only this target; may be repeated' -r
complete -c autoperf -n "__fish_autoperf_using_subcommand run" -l tier -d 'Run this tier now, whatever the state; its budget still counts' -r
complete -c autoperf -n "__fish_autoperf_using_subcommand run" -l stagger -d 'First wait for a time up to this, which is this host\'s own: so that hosts with one crontab do not burst' -r
complete -c autoperf -n "__fish_autoperf_using_subcommand run" -l if-locked -d 'What to do when another process measures already and takes no orders: end with 75, or with 0 and silently' -r -f -a "fail\t'End with 75'
skip\t'End with 0'"
complete -c autoperf -n "__fish_autoperf_using_subcommand run" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c autoperf -n "__fish_autoperf_using_subcommand run" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c autoperf -n "__fish_autoperf_using_subcommand run" -l ignore-budget -d 'Run it although the day\'s budget is spent'
complete -c autoperf -n "__fish_autoperf_using_subcommand run" -l strict -d 'End with 1 when a target is bad'
complete -c autoperf -n "__fish_autoperf_using_subcommand run" -l nagios -d 'End with a Nagios plugin\'s codes and print its line, with performance data'
complete -c autoperf -n "__fish_autoperf_using_subcommand run" -l json -d 'Print each run\'s record as one line of JSON'
complete -c autoperf -n "__fish_autoperf_using_subcommand run" -s q -l quiet -d 'Print nothing but failures'
complete -c autoperf -n "__fish_autoperf_using_subcommand run" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c autoperf -n "__fish_autoperf_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c autoperf -n "__fish_autoperf_using_subcommand daemon" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c autoperf -n "__fish_autoperf_using_subcommand daemon" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c autoperf -n "__fish_autoperf_using_subcommand daemon" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c autoperf -n "__fish_autoperf_using_subcommand daemon" -s h -l help -d 'Print help'
complete -c autoperf -n "__fish_autoperf_using_subcommand check" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c autoperf -n "__fish_autoperf_using_subcommand check" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c autoperf -n "__fish_autoperf_using_subcommand check" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c autoperf -n "__fish_autoperf_using_subcommand check" -s h -l help -d 'Print help'
complete -c autoperf -n "__fish_autoperf_using_subcommand status" -l config -d 'Read this configuration instead of the system\'s or the user\'s' -r -F
complete -c autoperf -n "__fish_autoperf_using_subcommand status" -l data -d 'Keep store, spool, locks and identity here' -r -F
complete -c autoperf -n "__fish_autoperf_using_subcommand status" -l json -d 'Print one line of JSON for each target'
complete -c autoperf -n "__fish_autoperf_using_subcommand status" -s v -l verbose -d 'Tell more on stderr; twice for traces'
complete -c autoperf -n "__fish_autoperf_using_subcommand status" -s h -l help -d 'Print help'
