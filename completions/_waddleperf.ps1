
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'waddleperf' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'waddleperf'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'waddleperf' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('ping', 'ping', [CompletionResultType]::ParameterValue, 'Round-trip time and loss of one target or of many')
            [CompletionResult]::new('udpping', 'udpping', [CompletionResultType]::ParameterValue, 'Round-trip time, loss by direction and one-way delay over UDP')
            [CompletionResult]::new('mtr', 'mtr', [CompletionResultType]::ParameterValue, 'The hops to a target: who answers, how fast, and where packets are lost')
            [CompletionResult]::new('mtu', 'mtu', [CompletionResultType]::ParameterValue, 'Path MTU, black holes, and who is to blame')
            [CompletionResult]::new('portscan', 'portscan', [CompletionResultType]::ParameterValue, 'Open, closed and filtered ports, and who says so')
            [CompletionResult]::new('resolvertime', 'resolvertime', [CompletionResultType]::ParameterValue, 'How long resolvers take, which is faster, and whether what they say is true')
            [CompletionResult]::new('httptrace', 'httptrace', [CompletionResultType]::ParameterValue, 'What an answer of HTTP takes: DNS, TCP, TLS, first byte, transfer')
            [CompletionResult]::new('tls', 'tls', [CompletionResultType]::ParameterValue, 'Certificates, names, expiry, versions and suites of a TLS server')
            [CompletionResult]::new('sshping', 'sshping', [CompletionResultType]::ParameterValue, 'How SSH logs in, echoes and transfers')
            [CompletionResult]::new('bandwidth', 'bandwidth', [CompletionResultType]::ParameterValue, 'How much goes through over TCP or UDP, by iperf3''s protocol, and what limits it')
            [CompletionResult]::new('capture', 'capture', [CompletionResultType]::ParameterValue, 'Capture packets of a host, or sum up a file of them')
            [CompletionResult]::new('sysinfo', 'sysinfo', [CompletionResultType]::ParameterValue, 'The state of this host that explains a bad network')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Run the test server')
            [CompletionResult]::new('autoperf', 'autoperf', [CompletionResultType]::ParameterValue, 'Measure the configured targets, and look closer where something is wrong')
            [CompletionResult]::new('results', 'results', [CompletionResultType]::ParameterValue, 'List, show, export, import, sum up and remove what was kept')
            [CompletionResult]::new('geoip', 'geoip', [CompletionResultType]::ParameterValue, 'Where addresses belong, by databases on this host')
            [CompletionResult]::new('health', 'health', [CompletionResultType]::ParameterValue, 'Say whether the server is well')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Check the configuration, or print what is in force')
            [CompletionResult]::new('setup', 'setup', [CompletionResultType]::ParameterValue, 'Links, manual pages, completions, a sample configuration')
            break
        }
        'waddleperf;ping' {
            [CompletionResult]::new('--mode', '--mode', [CompletionResultType]::ParameterName, 'What is sent, and what counts as a reply [default: icmp, with --port tcp]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Port, and --mode tcp where no mode is given [default: tcp and http 80, tls, https and quic 443, dns 53]')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name that a DNS server is asked for (its NS records), or that a TLS server is asked to be')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Send this many packets to each target, then stop')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Send this many packets to each target, then stop')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Time between two packets [default: 1s to one target; 10ms between different ones, and then each target gets one by --per-target-interval]; bare numbers are seconds')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Time between two packets [default: 1s to one target; 10ms between different ones, and then each target gets one by --per-target-interval]; bare numbers are seconds')
            [CompletionResult]::new('--per-target-interval', '--per-target-interval', [CompletionResultType]::ParameterName, 'Time between two packets to the same one of many targets, fping''s -p [default: 1s]')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Octets of payload of an echo message')
            [CompletionResult]::new('--size', '--size', [CompletionResultType]::ParameterName, 'Octets of payload of an echo message')
            [CompletionResult]::new('-W', '-W ', [CompletionResultType]::ParameterName, 'How long to wait for the reply to each packet; later ones are `late` [default: 2s; 0.5s with -a, -u and -r, where each wait is --backoff times the one before]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to wait for the reply to each packet; later ones are `late` [default: 2s; 0.5s with -a, -u and -r, where each wait is --backoff times the one before]')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'End after this time, however many packets are left; what is in flight then is not counted')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'End after this time, however many packets are left; what is in flight then is not counted')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Fill the payload with these octets, in hexadecimal')
            [CompletionResult]::new('--pattern', '--pattern', [CompletionResultType]::ParameterName, 'Fill the payload with these octets, in hexadecimal')
            [CompletionResult]::new('-Q', '-Q ', [CompletionResultType]::ParameterName, 'Type of service, DSCP and ECN in one octet, as ping takes it (46 << 2 = 184 is EF)')
            [CompletionResult]::new('--tos', '--tos', [CompletionResultType]::ParameterName, 'Type of service, DSCP and ECN in one octet, as ping takes it (46 << 2 = 184 is EF)')
            [CompletionResult]::new('-M', '-M ', [CompletionResultType]::ParameterName, 'Whether packets may be cut on their way, and what becomes of those that are too large')
            [CompletionResult]::new('--pmtudisc', '--pmtudisc', [CompletionResultType]::ParameterName, 'Whether packets may be cut on their way, and what becomes of those that are too large')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Send this many packets at once, before the first interval (more than 3: root, or --force)')
            [CompletionResult]::new('--preload', '--preload', [CompletionResultType]::ParameterName, 'Send this many packets at once, before the first interval (more than 3: root, or --force)')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Identify the echo messages by this number, instead of one that is free')
            [CompletionResult]::new('--identifier', '--identifier', [CompletionResultType]::ParameterName, 'Identify the echo messages by this number, instead of one that is free')
            [CompletionResult]::new('-F', '-F ', [CompletionResultType]::ParameterName, 'Measure what this file lists too, a target on each line; `-` is standard input')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Measure what this file lists too, a target on each line; `-` is standard input')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Send this many packets to each target, and list the time of each in columns, as fping does')
            [CompletionResult]::new('--vcount', '--vcount', [CompletionResultType]::ParameterName, 'Send this many packets to each target, and list the time of each in columns, as fping does')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Ask until each target has answered once, at most this often again [default: 3 with -a or -u]')
            [CompletionResult]::new('--retries', '--retries', [CompletionResultType]::ParameterName, 'Ask until each target has answered once, at most this often again [default: 3 with -a or -u]')
            [CompletionResult]::new('-B', '-B ', [CompletionResultType]::ParameterName, 'How much longer than the one before each such wait is')
            [CompletionResult]::new('--backoff', '--backoff', [CompletionResultType]::ParameterName, 'How much longer than the one before each such wait is')
            [CompletionResult]::new('--style', '--style', [CompletionResultType]::ParameterName, 'How text looks')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Send from this address of this host')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--dscp', '--dscp', [CompletionResultType]::ParameterName, 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label the record; once for each label')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Send the next packet as soon as the last was answered, and 100 each second at least (root, or --force)')
            [CompletionResult]::new('--flood', '--flood', [CompletionResultType]::ParameterName, 'Send the next packet as soon as the last was answered, and 100 each second at least (root, or --force)')
            [CompletionResult]::new('-A', '-A ', [CompletionResultType]::ParameterName, 'Send the next packet as soon as the last was answered, though not within 2 ms but for root, and else after the interval')
            [CompletionResult]::new('--adaptive', '--adaptive', [CompletionResultType]::ParameterName, 'Send the next packet as soon as the last was answered, though not within 2 ms but for root, and else after the interval')
            [CompletionResult]::new('-R', '-R ', [CompletionResultType]::ParameterName, 'ping''s -R, which is refused: routers answer it no more')
            [CompletionResult]::new('--record-route', '--record-route', [CompletionResultType]::ParameterName, 'ping''s -R, which is refused: routers answer it no more')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Allow what else only root may: less than 2 ms between two packets to one target, -f, and -l beyond 3')
            [CompletionResult]::new('--catch-up', '--catch-up', [CompletionResultType]::ParameterName, 'Send packets to one target that were missed by more than one interval at once, instead of counting them as skipped; of many targets none is skipped')
            [CompletionResult]::new('-O', '-O ', [CompletionResultType]::ParameterName, 'Say so when a packet is not answered before the next one is sent')
            [CompletionResult]::new('--outstanding', '--outstanding', [CompletionResultType]::ParameterName, 'Say so when a packet is not answered before the next one is sent')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Never look names up: this is always so, and the flag is taken for the users of ping')
            [CompletionResult]::new('--numeric', '--numeric', [CompletionResultType]::ParameterName, 'Never look names up: this is always so, and the flag is taken for the users of ping')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'Measure all addresses of each name, 64 at most, as fping does, instead of the first that the resolver gives')
            [CompletionResult]::new('--all-addresses', '--all-addresses', [CompletionResultType]::ParameterName, 'Measure all addresses of each name, 64 at most, as fping does, instead of the first that the resolver gives')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'Allow broadcast and multicast addresses, and list who replies')
            [CompletionResult]::new('--broadcast', '--broadcast', [CompletionResultType]::ParameterName, 'Allow broadcast and multicast addresses, and list who replies')
            [CompletionResult]::new('-g', '-g', [CompletionResultType]::ParameterName, 'Take two addresses for the ends of a range, as fping does. Networks and ranges in one word need no flag')
            [CompletionResult]::new('--generate', '--generate', [CompletionResultType]::ParameterName, 'Take two addresses for the ends of a range, as fping does. Networks and ranges in one word need no flag')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Measure more than 4096 generated addresses')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Ask until each target has answered once, and list those that have')
            [CompletionResult]::new('--alive', '--alive', [CompletionResultType]::ParameterName, 'Ask until each target has answered once, and list those that have')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'Ask until each target has answered once, and list those that have not')
            [CompletionResult]::new('--unreach', '--unreach', [CompletionResultType]::ParameterName, 'Ask until each target has answered once, and list those that have not')
            [CompletionResult]::new('--elapsed', '--elapsed', [CompletionResultType]::ParameterName, 'With -a, tell the time of the reply too, fping''s -e')
            [CompletionResult]::new('--addr', '--addr', [CompletionResultType]::ParameterName, 'Call targets by their addresses, fping''s -A')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ecn', '--ecn', [CompletionResultType]::ParameterName, 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the record as one line of JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print the record as CSV: a header, then a row of base units, or one for each of ping''s targets')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Measure again and again, and draw it on a terminal, until told to stop')
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Keep the record in the store (the file''s store.save makes this the rule)')
            [CompletionResult]::new('--no-save', '--no-save', [CompletionResultType]::ParameterName, 'Keep nothing, whatever store.save says')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'waddleperf;udpping' {
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'UDP port of the reflector [default: 2000; stamp and twamp: 862]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'UDP port of the reflector [default: 2000; stamp and twamp: 862]')
            [CompletionResult]::new('--protocol', '--protocol', [CompletionResultType]::ParameterName, 'Format of the packets')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Send this many packets, then stop')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Send this many packets, then stop')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Time between two packets (or bursts), kept by an absolute plan; bare numbers are seconds')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Time between two packets (or bursts), kept by an absolute plan; bare numbers are seconds')
            [CompletionResult]::new('--schedule', '--schedule', [CompletionResultType]::ParameterName, 'How the intervals are drawn: all alike, or exponentially distributed around the same mean (RFC 3432)')
            [CompletionResult]::new('--burst', '--burst', [CompletionResultType]::ParameterName, 'Packets sent back to back at each point of the schedule')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Octets of UDP payload; formats round it up to what they need')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Octets of UDP payload; formats round it up to what they need')
            [CompletionResult]::new('--size', '--size', [CompletionResultType]::ParameterName, 'Octets of UDP payload; formats round it up to what they need')
            [CompletionResult]::new('-W', '-W ', [CompletionResultType]::ParameterName, 'How long to wait for the reply to each packet; later ones are `late`')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to wait for the reply to each packet; later ones are `late`')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Stop sending after this time, however many packets are left (irtt''s -d)')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Stop sending after this time, however many packets are left (irtt''s -d)')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'Stop sending after this time, however many packets are left (irtt''s -d)')
            [CompletionResult]::new('--key-file', '--key-file', [CompletionResultType]::ParameterName, 'File with the key that the reflector shares (its octets, without white space at the ends)')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Send from this address of this host')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255')
            [CompletionResult]::new('--dscp', '--dscp', [CompletionResultType]::ParameterName, 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label the record; once for each label')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--assume-synced', '--assume-synced', [CompletionResultType]::ParameterName, 'Report one-way delays although nothing proves that the two clocks agree')
            [CompletionResult]::new('--catch-up', '--catch-up', [CompletionResultType]::ParameterName, 'Send packets that were missed by more than one interval at once, instead of counting them as skipped')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ecn', '--ecn', [CompletionResultType]::ParameterName, 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the record as one line of JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print the record as CSV: a header, then a row of base units, or one for each of ping''s targets')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Measure again and again, and draw it on a terminal, until told to stop')
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Keep the record in the store (the file''s store.save makes this the rule)')
            [CompletionResult]::new('--no-save', '--no-save', [CompletionResultType]::ParameterName, 'Keep nothing, whatever store.save says')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'waddleperf;mtr' {
            [CompletionResult]::new('-F', '-F ', [CompletionResultType]::ParameterName, 'Trace the targets that this file lists, one after the other; `-` is standard input')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Trace the targets that this file lists, one after the other; `-` is standard input')
            [CompletionResult]::new('--filename', '--filename', [CompletionResultType]::ParameterName, 'Trace the targets that this file lists, one after the other; `-` is standard input')
            [CompletionResult]::new('--strategy', '--strategy', [CompletionResultType]::ParameterName, 'How the number of a probe is carried: paris keeps all probes of a flow on one path, so does dublin, by the IP header (CAP_NET_RAW), classic is traceroute''s, whose ports vary (for firewalls that want those)')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Trace this many cycles, then stop')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Trace this many cycles, then stop')
            [CompletionResult]::new('--report-cycles', '--report-cycles', [CompletionResultType]::ParameterName, 'Trace this many cycles, then stop')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Time from one cycle to the next; bare numbers are seconds')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Time from one cycle to the next; bare numbers are seconds')
            [CompletionResult]::new('--flows', '--flows', [CompletionResultType]::ParameterName, 'Trace this many flows side by side: each keeps its own path')
            [CompletionResult]::new('--mda', '--mda', [CompletionResultType]::ParameterName, 'Find every path that load balancing offers, once, instead of tracing cycle after cycle: lite or full')
            [CompletionResult]::new('--confidence', '--confidence', [CompletionResultType]::ParameterName, 'How sure --mda shall be that it misses no next hop of a node, in percent')
            [CompletionResult]::new('-P', '-P ', [CompletionResultType]::ParameterName, 'Destination port of UDP and TCP [default: 33434; quic: 443, tcp: 80]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Destination port of UDP and TCP [default: 33434; quic: 443, tcp: 80]')
            [CompletionResult]::new('-L', '-L ', [CompletionResultType]::ParameterName, 'Source port of the first flow over UDP and TCP; further flows take the next ones')
            [CompletionResult]::new('--localport', '--localport', [CompletionResultType]::ParameterName, 'Source port of the first flow over UDP and TCP; further flows take the next ones')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Octets of each probe''s IP packet; what a probe needs at least is kept. Over IPv6 dublin''s have each their own length')
            [CompletionResult]::new('--size', '--size', [CompletionResultType]::ParameterName, 'Octets of each probe''s IP packet; what a probe needs at least is kept. Over IPv6 dublin''s have each their own length')
            [CompletionResult]::new('--psize', '--psize', [CompletionResultType]::ParameterName, 'Octets of each probe''s IP packet; what a probe needs at least is kept. Over IPv6 dublin''s have each their own length')
            [CompletionResult]::new('-B', '-B ', [CompletionResultType]::ParameterName, 'Fill the probes of ICMP and UDP with this octet, 0-255; a larger number draws one')
            [CompletionResult]::new('--bitpattern', '--bitpattern', [CompletionResultType]::ParameterName, 'Fill the probes of ICMP and UDP with this octet, 0-255; a larger number draws one')
            [CompletionResult]::new('-Q', '-Q ', [CompletionResultType]::ParameterName, 'Type of service of the probes, the whole octet: DSCP and ECN at once, where --dscp and --ecn take each')
            [CompletionResult]::new('--tos', '--tos', [CompletionResultType]::ParameterName, 'Type of service of the probes, the whole octet: DSCP and ECN at once, where --dscp and --ecn take each')
            [CompletionResult]::new('-M', '-M ', [CompletionResultType]::ParameterName, 'Mark the packets for this host''s own routing and filters (SO_MARK); needs CAP_NET_ADMIN, or CAP_NET_RAW since Linux 5.17')
            [CompletionResult]::new('--mark', '--mark', [CompletionResultType]::ParameterName, 'Mark the packets for this host''s own routing and filters (SO_MARK); needs CAP_NET_ADMIN, or CAP_NET_RAW since Linux 5.17')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'TTL of the first hop')
            [CompletionResult]::new('--first-ttl', '--first-ttl', [CompletionResultType]::ParameterName, 'TTL of the first hop')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'TTL of the last hop at most')
            [CompletionResult]::new('--max-ttl', '--max-ttl', [CompletionResultType]::ParameterName, 'TTL of the last hop at most')
            [CompletionResult]::new('-U', '-U ', [CompletionResultType]::ParameterName, 'Give up after this many silent hops in a row')
            [CompletionResult]::new('--max-unknown', '--max-unknown', [CompletionResultType]::ParameterName, 'Give up after this many silent hops in a row')
            [CompletionResult]::new('-Z', '-Z ', [CompletionResultType]::ParameterName, 'How long to wait for the reply to each probe; later ones are `late`')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to wait for the reply to each probe; later ones are `late`')
            [CompletionResult]::new('-G', '-G ', [CompletionResultType]::ParameterName, 'How long to wait for the last replies [default: half more than the longest round trip, 100 ms to 1 s]')
            [CompletionResult]::new('--gracetime', '--gracetime', [CompletionResultType]::ParameterName, 'How long to wait for the last replies [default: half more than the longest round trip, 100 ms to 1 s]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Show each hop''s AS number (0), prefix (1) or country (2), from a local database (mtr''s numbers); the registry (3) and the date of allocation (4) are in none, and are shown as `???`')
            [CompletionResult]::new('--ipinfo', '--ipinfo', [CompletionResultType]::ParameterName, 'Show each hop''s AS number (0), prefix (1) or country (2), from a local database (mtr''s numbers); the registry (3) and the date of allocation (4) are in none, and are shown as `???`')
            [CompletionResult]::new('--geo', '--geo', [CompletionResultType]::ParameterName, 'Database of AS numbers or countries (MMDB) [default: those that `waddleperf geoip list` names]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Columns of the report, by mtr''s letters: L loss, D dropped, R received, S sent, N newest, B best, A average, W worst, V deviation, G geometric mean, J jitter, M its mean, X its worst, I interarrival jitter')
            [CompletionResult]::new('--order', '--order', [CompletionResultType]::ParameterName, 'Columns of the report, by mtr''s letters: L loss, D dropped, R received, S sent, N newest, B best, A average, W worst, V deviation, G geometric mean, J jitter, M its mean, X its worst, I interarrival jitter')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'The form of the report')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255')
            [CompletionResult]::new('--dscp', '--dscp', [CompletionResultType]::ParameterName, 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Send from this address of this host')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Send from this address of this host')
            [CompletionResult]::new('--address', '--address', [CompletionResultType]::ParameterName, 'Send from this address of this host')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label the record; once for each label')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--icmp', '--icmp', [CompletionResultType]::ParameterName, 'Probe with ICMP echo requests, which is the rule for one flow')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'Probe with UDP datagrams, which is the rule for several flows')
            [CompletionResult]::new('--udp', '--udp', [CompletionResultType]::ParameterName, 'Probe with UDP datagrams, which is the rule for several flows')
            [CompletionResult]::new('-T', '-T ', [CompletionResultType]::ParameterName, 'Probe with TCP SYNs; a port that answers is reset at once')
            [CompletionResult]::new('--tcp', '--tcp', [CompletionResultType]::ParameterName, 'Probe with TCP SYNs; a port that answers is reset at once')
            [CompletionResult]::new('--quic', '--quic', [CompletionResultType]::ParameterName, 'Probe with UDP datagrams of 1200 octets, as QUIC''s first, to port 443')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do not look up the names of addresses')
            [CompletionResult]::new('--no-dns', '--no-dns', [CompletionResultType]::ParameterName, 'Do not look up the names of addresses')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Print a report, which is the rule here (mtr''s letter)')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Print a report, which is the rule here (mtr''s letter)')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Cut no names in the report')
            [CompletionResult]::new('--report-wide', '--report-wide', [CompletionResultType]::ParameterName, 'Cut no names in the report')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'Show addresses beside names')
            [CompletionResult]::new('--show-ips', '--show-ips', [CompletionResultType]::ParameterName, 'Show addresses beside names')
            [CompletionResult]::new('-z', '-z', [CompletionResultType]::ParameterName, 'Show the number of each hop''s autonomous system, from a local database')
            [CompletionResult]::new('--aslookup', '--aslookup', [CompletionResultType]::ParameterName, 'Show the number of each hop''s autonomous system, from a local database')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Write MPLS labels with --mtr-raw too; tables show them without being asked')
            [CompletionResult]::new('--mpls', '--mpls', [CompletionResultType]::ParameterName, 'Write MPLS labels with --mtr-raw too; tables show them without being asked')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'As `--format mtr-json`')
            [CompletionResult]::new('--mtr-json', '--mtr-json', [CompletionResultType]::ParameterName, 'As `--format mtr-json`')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'As `--format mtr-csv`')
            [CompletionResult]::new('--mtr-csv', '--mtr-csv', [CompletionResultType]::ParameterName, 'As `--format mtr-csv`')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'As `--format mtr-raw`')
            [CompletionResult]::new('--mtr-raw', '--mtr-raw', [CompletionResultType]::ParameterName, 'As `--format mtr-raw`')
            [CompletionResult]::new('--raw', '--raw', [CompletionResultType]::ParameterName, 'As `--format mtr-raw`')
            [CompletionResult]::new('--dot', '--dot', [CompletionResultType]::ParameterName, 'As `--format dot`: the path, or with --mda every path, as a graph for Graphviz')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ecn', '--ecn', [CompletionResultType]::ParameterName, 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the record as one line of JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print the record as CSV: a header, then a row of base units, or one for each of ping''s targets')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Measure again and again, and draw it on a terminal, until told to stop')
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Keep the record in the store (the file''s store.save makes this the rule)')
            [CompletionResult]::new('--no-save', '--no-save', [CompletionResultType]::ParameterName, 'Keep nothing, whatever store.save says')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'waddleperf;mtu' {
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'UDP port of a waddleperf reflector and TCP port whose segment size is read [default: 2000, and 443 or 80]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'UDP port of a waddleperf reflector and TCP port whose segment size is read [default: 2000, and 443 or 80]')
            [CompletionResult]::new('-M', '-M ', [CompletionResultType]::ParameterName, 'What carries the packets')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'What carries the packets')
            [CompletionResult]::new('--min', '--min', [CompletionResultType]::ParameterName, 'The smallest size to try, octets of IP packet [default: 68]')
            [CompletionResult]::new('--max', '--max', [CompletionResultType]::ParameterName, 'The largest size to try, octets of IP packet [default: what the interface sends, at most 9216]')
            [CompletionResult]::new('-W', '-W ', [CompletionResultType]::ParameterName, 'How long to wait for the first answer; later ones are given three round trips')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to wait for the first answer; later ones are given three round trips')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'How long the whole run may take')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'How long the whole run may take')
            [CompletionResult]::new('--key-file', '--key-file', [CompletionResultType]::ParameterName, 'File with the key that the reflector shares (its octets, without white space at the ends)')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Send from this address of this host')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255')
            [CompletionResult]::new('--dscp', '--dscp', [CompletionResultType]::ParameterName, 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label the record; once for each label')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--hops', '--hops', [CompletionResultType]::ParameterName, 'Look at each hop of the way even if nothing is in the way')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Give addresses of hops, not names: no DNS server is asked for them')
            [CompletionResult]::new('--numeric', '--numeric', [CompletionResultType]::ParameterName, 'Give addresses of hops, not names: no DNS server is asked for them')
            [CompletionResult]::new('--no-tcp', '--no-tcp', [CompletionResultType]::ParameterName, 'Do not connect to a TCP port of the target')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ecn', '--ecn', [CompletionResultType]::ParameterName, 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the record as one line of JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print the record as CSV: a header, then a row of base units, or one for each of ping''s targets')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Measure again and again, and draw it on a terminal, until told to stop')
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Keep the record in the store (the file''s store.save makes this the rule)')
            [CompletionResult]::new('--no-save', '--no-save', [CompletionResultType]::ParameterName, 'Keep nothing, whatever store.save says')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'waddleperf;portscan' {
            [CompletionResult]::new('-L', '-L ', [CompletionResultType]::ParameterName, 'Scan what this file lists too, words with white space between, `-` is standard input: nmap''s -iL FILE')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Scan what this file lists too, words with white space between, `-` is standard input: nmap''s -iL FILE')
            [CompletionResult]::new('--input-list', '--input-list', [CompletionResultType]::ParameterName, 'Scan what this file lists too, words with white space between, `-` is standard input: nmap''s -iL FILE')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Leave these out, written as targets are; several between commas')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'How to ask, as nmap''s -sT, -sS, -sU, -sSU: `T` or connect (the default), `S` or syn (needs CAP_NET_RAW), `U` or udp')
            [CompletionResult]::new('--scan', '--scan', [CompletionResultType]::ParameterName, 'How to ask, as nmap''s -sT, -sS, -sU, -sSU: `T` or connect (the default), `S` or syn (needs CAP_NET_RAW), `U` or udp')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Ports: `22,80,1-1024`, `-` for all, names as `http*`; behind `T:` or `U:` of that protocol only')
            [CompletionResult]::new('--ports', '--ports', [CompletionResultType]::ParameterName, 'Ports: `22,80,1-1024`, `-` for all, names as `http*`; behind `T:` or `U:` of that protocol only')
            [CompletionResult]::new('--top-ports', '--top-ports', [CompletionResultType]::ParameterName, 'Only N ports: the 100 that are open most often, then those of known services, then by number; beyond 100 that is not nmap''s list [default: 1000]')
            [CompletionResult]::new('--top', '--top', [CompletionResultType]::ParameterName, 'Only N ports: the 100 that are open most often, then those of known services, then by number; beyond 100 that is not nmap''s list [default: 1000]')
            [CompletionResult]::new('-T', '-T ', [CompletionResultType]::ParameterName, 'How fast and how patient, as nmap''s -T: 0 (a question in 5 minutes) to 5 (in a hurry, on a good line)')
            [CompletionResult]::new('--timing', '--timing', [CompletionResultType]::ParameterName, 'How fast and how patient, as nmap''s -T: 0 (a question in 5 minutes) to 5 (in a hurry, on a good line)')
            [CompletionResult]::new('--min-rate', '--min-rate', [CompletionResultType]::ParameterName, 'Questions per second at least, whatever is lost; lifts the ceiling of 1000 as --max-rate does')
            [CompletionResult]::new('--max-rate', '--max-rate', [CompletionResultType]::ParameterName, 'Questions per second at most, of all hosts together [default: 1000 after the first 1000, but none for this host''s own addresses and none with -T4, -T5 and --min-rate]')
            [CompletionResult]::new('--rate', '--rate', [CompletionResultType]::ParameterName, 'Questions per second at most, of all hosts together [default: 1000 after the first 1000, but none for this host''s own addresses and none with -T4, -T5 and --min-rate]')
            [CompletionResult]::new('--max-retries', '--max-retries', [CompletionResultType]::ParameterName, 'How often a silent port is asked again at most [default: 10, and more where answers are rationed]')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'End after this time, whatever is known then')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'End after this time, whatever is known then')
            [CompletionResult]::new('--host-timeout', '--host-timeout', [CompletionResultType]::ParameterName, 'End after this time, whatever is known then')
            [CompletionResult]::new('-P', '-P ', [CompletionResultType]::ParameterName, 'As nmap''s -Pn, and always so: no host is asked first whether it is there')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Send from this address of this host')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255')
            [CompletionResult]::new('--dscp', '--dscp', [CompletionResultType]::ParameterName, 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label the record; once for each label')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('-F', '-F ', [CompletionResultType]::ParameterName, 'Only the 100 ports that are open most often')
            [CompletionResult]::new('--fast', '--fast', [CompletionResultType]::ParameterName, 'Only the 100 ports that are open most often')
            [CompletionResult]::new('--banner', '--banner', [CompletionResultType]::ParameterName, 'Read what open TCP ports say, and how they speak TLS')
            [CompletionResult]::new('--open', '--open', [CompletionResultType]::ParameterName, 'Show open ports only')
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Show why a port is said to be what it is, and who says so')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'List every port, however many there are of a kind')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Yes, scan more than one host')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'As nmap''s -n, and always so: no address is resolved to a name')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'The first letter of nmap''s -iL')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ecn', '--ecn', [CompletionResultType]::ParameterName, 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the record as one line of JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print the record as CSV: a header, then a row of base units, or one for each of ping''s targets')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Measure again and again, and draw it on a terminal, until told to stop')
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Keep the record in the store (the file''s store.save makes this the rule)')
            [CompletionResult]::new('--no-save', '--no-save', [CompletionResultType]::ParameterName, 'Keep nothing, whatever store.save says')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'waddleperf;resolvertime' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The name to look up [default: the root]')
            [CompletionResult]::new('--domain', '--domain', [CompletionResultType]::ParameterName, 'The name to look up [default: the root]')
            [CompletionResult]::new('-x', '-x', [CompletionResultType]::ParameterName, 'Look up the name of this address, as dig''s -x')
            [CompletionResult]::new('--reverse', '--reverse', [CompletionResultType]::ParameterName, 'Look up the name of this address, as dig''s -x')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'The type of records to ask for: a mnemonic or TYPE123 [default: A; of the root NS]')
            [CompletionResult]::new('--type', '--type', [CompletionResultType]::ParameterName, 'The type of records to ask for: a mnemonic or TYPE123 [default: A; of the root NS]')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Ask this server: an address or a name, with :PORT if need be, or a URL (udp:, tcp:, tls:, https:, quic:; #NAME behind it is the name in its certificate); once for each [default: those of resolv.conf(5), and this host''s own way]')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Ask this server: an address or a name, with :PORT if need be, or a URL (udp:, tcp:, tls:, https:, quic:; #NAME behind it is the name in its certificate); once for each [default: those of resolv.conf(5), and this host''s own way]')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The servers'' port [default: 53; tls and quic: 853; https: 443]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The servers'' port [default: 53; tls and quic: 853; https: 443]')
            [CompletionResult]::new('--transport', '--transport', [CompletionResultType]::ParameterName, 'How queries travel, where the server is no URL')
            [CompletionResult]::new('--path', '--path', [CompletionResultType]::ParameterName, 'The path of the service, over HTTPS')
            [CompletionResult]::new('--tls-name', '--tls-name', [CompletionResultType]::ParameterName, 'The name that the server''s certificate must have [default: that of the server, or its address]')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Believe the certificate authorities in this file (PEM), and none else')
            [CompletionResult]::new('--cacert', '--cacert', [CompletionResultType]::ParameterName, 'Believe the certificate authorities in this file (PEM), and none else')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Ask each server this often [default: 10; with +short 1]')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Ask each server this often [default: 10; with +short 1]')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Time between two queries to one server; servers take turns within it')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Time between two queries to one server; servers take turns within it')
            [CompletionResult]::new('-W', '-W ', [CompletionResultType]::ParameterName, 'How long to wait for each answer')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to wait for each answer')
            [CompletionResult]::new('--tries', '--tries', [CompletionResultType]::ParameterName, 'How often a query without an answer is sent, each time with a new identifier; each counts as one')
            [CompletionResult]::new('--bufsize', '--bufsize', [CompletionResultType]::ParameterName, 'Octets of an answer over UDP that are accepted (EDNS)')
            [CompletionResult]::new('--hints', '--hints', [CompletionResultType]::ParameterName, 'Begin a trace at the servers of this file: addresses, or the form of named.root [default: the root servers of 2025]')
            [CompletionResult]::new('--absent-zone', '--absent-zone', [CompletionResultType]::ParameterName, 'The zone of the name that cannot be')
            [CompletionResult]::new('--cold-zone', '--cold-zone', [CompletionResultType]::ParameterName, 'A zone that has every name (a wildcard): a random one of it cannot be in a cache, and its time is the cold one')
            [CompletionResult]::new('--load', '--load', [CompletionResultType]::ParameterName, 'Send the questions of this file to the server, over udp, tcp or dot: a name and a type on each line, as dnsperf''s')
            [CompletionResult]::new('--qps', '--qps', [CompletionResultType]::ParameterName, 'With --load: queries per second; above 1,000 those of a millisecond go together [default: as many as are answered]')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'With --load: for so long [default: 10s; with -c that often through the file]')
            [CompletionResult]::new('--duration', '--duration', [CompletionResultType]::ParameterName, 'With --load: for so long [default: 10s; with -c that often through the file]')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'With --load: for so long [default: 10s; with -c that often through the file]')
            [CompletionResult]::new('--outstanding', '--outstanding', [CompletionResultType]::ParameterName, 'With --load: queries that wait for their answers at once, at most')
            [CompletionResult]::new('--clients', '--clients', [CompletionResultType]::ParameterName, 'With --load: sockets, each with a port of its own; over TCP and TLS connections')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Send from this address of this host')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255')
            [CompletionResult]::new('--dscp', '--dscp', [CompletionResultType]::ParameterName, 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label the record; once for each label')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--system', '--system', [CompletionResultType]::ParameterName, 'Ask the system''s too, besides those that are named: each of resolv.conf(5), and getaddrinfo(3)')
            [CompletionResult]::new('--get', '--get', [CompletionResultType]::ParameterName, 'Ask by GET, over HTTPS (RFC 8484 §4.1)')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Go on whoever the server is; what is wrong with its certificate is said')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Go on whoever the server is; what is wrong with its certificate is said')
            [CompletionResult]::new('--fresh', '--fresh', [CompletionResultType]::ParameterName, 'Make a new connection for each query, where one would be used again')
            [CompletionResult]::new('--dnssec', '--dnssec', [CompletionResultType]::ParameterName, 'Ask for signatures, and find out whether the server validates: secure, insecure, bogus, unsupported')
            [CompletionResult]::new('--unchecked', '--unchecked', [CompletionResultType]::ParameterName, 'Ask for what does not validate, too (CD)')
            [CompletionResult]::new('--no-recurse', '--no-recurse', [CompletionResultType]::ParameterName, 'Do not ask for recursion (RD)')
            [CompletionResult]::new('--no-edns', '--no-edns', [CompletionResultType]::ParameterName, 'Do without EDNS')
            [CompletionResult]::new('--no-cookie', '--no-cookie', [CompletionResultType]::ParameterName, 'Send no cookies, which prove that an answer is the server''s own (RFC 7873)')
            [CompletionResult]::new('--ignore-truncation', '--ignore-truncation', [CompletionResultType]::ParameterName, 'Leave a truncated answer as it is, where it would be asked for again over TCP')
            [CompletionResult]::new('--no-case', '--no-case', [CompletionResultType]::ParameterName, 'Leave the letters of the name as they are: by default their case is mixed, so that no guessed answer passes')
            [CompletionResult]::new('--short', '--short', [CompletionResultType]::ParameterName, 'Print the answers alone, as dig''s +short')
            [CompletionResult]::new('--trace', '--trace', [CompletionResultType]::ParameterName, 'Go from the root servers down, one server of each zone after the other')
            [CompletionResult]::new('--check', '--check', [CompletionResultType]::ParameterName, 'Ask for a name that cannot be, and find out what the server makes of it: an address is a hijack')
            [CompletionResult]::new('--sizes', '--sizes', [CompletionResultType]::ParameterName, 'Find out which sizes get through over UDP: padded queries on the way there, long answers on the way back')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ecn', '--ecn', [CompletionResultType]::ParameterName, 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the record as one line of JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print the record as CSV: a header, then a row of base units, or one for each of ping''s targets')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Measure again and again, and draw it on a terminal, until told to stop')
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Keep the record in the store (the file''s store.save makes this the rule)')
            [CompletionResult]::new('--no-save', '--no-save', [CompletionResultType]::ParameterName, 'Keep nothing, whatever store.save says')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'waddleperf;httptrace' {
            [CompletionResult]::new('-X', '-X ', [CompletionResultType]::ParameterName, 'Method of the request [default: GET, with -d POST, with -I HEAD]')
            [CompletionResult]::new('--request', '--request', [CompletionResultType]::ParameterName, 'Method of the request [default: GET, with -d POST, with -I HEAD]')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'A header of the request, `Name: value`; `Name:` leaves one out; `@FILE` has one on each line. What tells who asks (Authorization, Cookie, …) is better kept in a file: arguments can be read by everybody on this host')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'A header of the request, `Name: value`; `Name:` leaves one out; `@FILE` has one on each line. What tells who asks (Authorization, Cookie, …) is better kept in a file: arguments can be read by everybody on this host')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Send this as a form, several joined by `&`; `@FILE` sends what is in it, without line ends; `@-` is standard input. curl''s long name for it, --data, means this program''s own data here')
            [CompletionResult]::new('--body', '--body', [CompletionResultType]::ParameterName, 'Send this as a form, several joined by `&`; `@FILE` sends what is in it, without line ends; `@-` is standard input. curl''s long name for it, --data, means this program''s own data here')
            [CompletionResult]::new('--body-binary', '--body-binary', [CompletionResultType]::ParameterName, 'Send this as it is; `@FILE` sends what is in it')
            [CompletionResult]::new('--data-binary', '--data-binary', [CompletionResultType]::ParameterName, 'Send this as it is; `@FILE` sends what is in it')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'curl''s -u, which is refused: everybody on this host could read it')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'curl''s -u, which is refused: everybody on this host could read it')
            [CompletionResult]::new('--user-file', '--user-file', [CompletionResultType]::ParameterName, 'Send the `user:password` in this file''s first line (Basic, RFC 7617)')
            [CompletionResult]::new('-A', '-A ', [CompletionResultType]::ParameterName, 'What the request says that it comes from [default: waddleperf and its version]')
            [CompletionResult]::new('--user-agent', '--user-agent', [CompletionResultType]::ParameterName, 'What the request says that it comes from [default: waddleperf and its version]')
            [CompletionResult]::new('--max-redirs', '--max-redirs', [CompletionResultType]::ParameterName, 'Redirects that are followed at most')
            [CompletionResult]::new('--cacert', '--cacert', [CompletionResultType]::ParameterName, 'Believe the authorities in this file (PEM) alone')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Believe the authorities in this file (PEM) alone')
            [CompletionResult]::new('--resolve', '--resolve', [CompletionResultType]::ParameterName, 'Use these addresses for a host and port, HOST:PORT:ADDRESS, or more addresses behind commas; `*` is any host')
            [CompletionResult]::new('--connect-to', '--connect-to', [CompletionResultType]::ParameterName, 'Connect to another host and port, HOST1:PORT1:HOST2:PORT2; an empty one is any, or the same')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'End each repeat after this time, redirects included')
            [CompletionResult]::new('--max-time', '--max-time', [CompletionResultType]::ParameterName, 'End each repeat after this time, redirects included')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'End each look-up, connection and TLS handshake, together, after this time')
            [CompletionResult]::new('--max-bytes', '--max-bytes', [CompletionResultType]::ParameterName, 'Octets of a body that are accepted, also decoded [default: 10485760; with -o no limit]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the body into this file; `-` is standard output')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write the body into this file; `-` is standard output')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Ask this often')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Ask this often')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Time between the end of a repeat and the next')
            [CompletionResult]::new('--expect', '--expect', [CompletionResultType]::ParameterName, 'What the answer must be, else the exit code is 1: status=200 (or 2xx), header:NAME=VALUE, body~EXPRESSION, json:/POINTER=VALUE; once for each')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Print this instead, with curl''s variables such as %{time_total}; `@FILE` has it. Of several repeats the last is told')
            [CompletionResult]::new('--write-out', '--write-out', [CompletionResultType]::ParameterName, 'Print this instead, with curl''s variables such as %{time_total}; `@FILE` has it. Of several repeats the last is told')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How text looks')
            [CompletionResult]::new('--har', '--har', [CompletionResultType]::ParameterName, 'Write the requests and answers, the first 1000 at most, into this file, as HAR 1.2')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Send from this address of this host')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255')
            [CompletionResult]::new('--dscp', '--dscp', [CompletionResultType]::ParameterName, 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label the record; once for each label')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'Ask for the head alone')
            [CompletionResult]::new('--head', '--head', [CompletionResultType]::ParameterName, 'Ask for the head alone')
            [CompletionResult]::new('--compressed', '--compressed', [CompletionResultType]::ParameterName, 'Ask for a compressed body (zstd, br, gzip, deflate), decode it, and count it before and after')
            [CompletionResult]::new('-L', '-L ', [CompletionResultType]::ParameterName, 'Follow redirects: this is always so unless --no-location is given')
            [CompletionResult]::new('--location', '--location', [CompletionResultType]::ParameterName, 'Follow redirects: this is always so unless --no-location is given')
            [CompletionResult]::new('--no-location', '--no-location', [CompletionResultType]::ParameterName, 'Do not follow redirects')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Accept whatever certificate is shown. The report says so, and what is wrong with it')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Accept whatever certificate is shown. The report says so, and what is wrong with it')
            [CompletionResult]::new('--http1.1', '--http1.1', [CompletionResultType]::ParameterName, 'Speak HTTP/1.1 only')
            [CompletionResult]::new('--http2', '--http2', [CompletionResultType]::ParameterName, 'Speak HTTP/2 where the server offers it (ALPN): the default')
            [CompletionResult]::new('--http2-prior-knowledge', '--http2-prior-knowledge', [CompletionResultType]::ParameterName, 'Speak HTTP/2, also without TLS')
            [CompletionResult]::new('--http3', '--http3', [CompletionResultType]::ParameterName, 'Try HTTP/3 beside the others, and use whichever connection stands first')
            [CompletionResult]::new('--http3-only', '--http3-only', [CompletionResultType]::ParameterName, 'Speak HTTP/3 only')
            [CompletionResult]::new('--keepalive', '--keepalive', [CompletionResultType]::ParameterName, 'Ask each time over the same connection (warm), instead of over a new one (cold)')
            [CompletionResult]::new('--resume', '--resume', [CompletionResultType]::ParameterName, 'Let new connections resume the TLS sessions of earlier legs and repeats (tickets, RFC 8446 §2.2); otherwise each handshake is a whole one. No early data is sent')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'End with 1 when the status is 400 or above')
            [CompletionResult]::new('--fail', '--fail', [CompletionResultType]::ParameterName, 'End with 1 when the status is 400 or above')
            [CompletionResult]::new('--show-secrets', '--show-secrets', [CompletionResultType]::ParameterName, 'Show what tells who asks (Authorization, Cookie, …) in report and HAR, instead of masking it')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'curl''s -s, and always so')
            [CompletionResult]::new('--silent', '--silent', [CompletionResultType]::ParameterName, 'curl''s -s, and always so')
            [CompletionResult]::new('-S', '-S ', [CompletionResultType]::ParameterName, 'curl''s -S, and always so')
            [CompletionResult]::new('--show-error', '--show-error', [CompletionResultType]::ParameterName, 'curl''s -S, and always so')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ecn', '--ecn', [CompletionResultType]::ParameterName, 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the record as one line of JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print the record as CSV: a header, then a row of base units, or one for each of ping''s targets')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Measure again and again, and draw it on a terminal, until told to stop')
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Keep the record in the store (the file''s store.save makes this the rule)')
            [CompletionResult]::new('--no-save', '--no-save', [CompletionResultType]::ParameterName, 'Keep nothing, whatever store.save says')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'waddleperf;tls' {
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The port [default: 443, or that of what --starttls names]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The port [default: 443, or that of what --starttls names]')
            [CompletionResult]::new('--servername', '--servername', [CompletionResultType]::ParameterName, 'Ask for this name (SNI) and expect its certificate [default: the target]')
            [CompletionResult]::new('--starttls', '--starttls', [CompletionResultType]::ParameterName, 'Speak this first, and then change to TLS')
            [CompletionResult]::new('--alpn', '--alpn', [CompletionResultType]::ParameterName, 'Offer these application protocols, separated by commas [default: h2,http/1.1; none with --starttls]')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Believe the authorities in this file (PEM), and no others [default: this host''s]')
            [CompletionResult]::new('--cacert', '--cacert', [CompletionResultType]::ParameterName, 'Believe the authorities in this file (PEM), and no others [default: this host''s]')
            [CompletionResult]::new('--rate', '--rate', [CompletionResultType]::ParameterName, 'Connections per second of a scan at most [default: as fast as it answers four at the same time]')
            [CompletionResult]::new('--expiry-warn', '--expiry-warn', [CompletionResultType]::ParameterName, 'Warn of certificates that expire within this time')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long each step of a connection may take: connecting, STARTTLS, the handshake')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'End after this time, whatever is known then')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'End after this time, whatever is known then')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Send from this address of this host')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255')
            [CompletionResult]::new('--dscp', '--dscp', [CompletionResultType]::ParameterName, 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label the record; once for each label')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--scan', '--scan', [CompletionResultType]::ParameterName, 'Ask for everything that it offers: versions, suites, groups, signatures, and what is weak about them')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ecn', '--ecn', [CompletionResultType]::ParameterName, 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the record as one line of JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print the record as CSV: a header, then a row of base units, or one for each of ping''s targets')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Measure again and again, and draw it on a terminal, until told to stop')
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Keep the record in the store (the file''s store.save makes this the rule)')
            [CompletionResult]::new('--no-save', '--no-save', [CompletionResultType]::ParameterName, 'Keep nothing, whatever store.save says')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'waddleperf;sshping' {
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The server''s port [default: 22, or what ~/.ssh/config says]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The server''s port [default: 22, or what ~/.ssh/config says]')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Log in as this user [default: what ~/.ssh/config says, or you]')
            [CompletionResult]::new('--login', '--login', [CompletionResultType]::ParameterName, 'Log in as this user [default: what ~/.ssh/config says, or you]')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Log in with this private key; may be given several times [default: the agent''s, then ~/.ssh/id_ed25519, id_ecdsa, id_rsa]')
            [CompletionResult]::new('--identity', '--identity', [CompletionResultType]::ParameterName, 'Log in with this private key; may be given several times [default: the agent''s, then ~/.ssh/id_ed25519, id_ecdsa, id_rsa]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'What unlocks the private key is the content of this file, which only you can read')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'The password is the content of this file, which only you can read; or of the variable WADDLEPERF_SSH_PASSWORD')
            [CompletionResult]::new('--host-key', '--host-key', [CompletionResultType]::ParameterName, 'The server''s key has this fingerprint (SHA256:…, as `ssh-keygen -lf` shows it); no file is asked')
            [CompletionResult]::new('--known-hosts', '--known-hosts', [CompletionResultType]::ParameterName, 'The file of known hosts [default: ~/.ssh/known_hosts, and /etc/ssh/ssh_known_hosts]')
            [CompletionResult]::new('-F', '-F ', [CompletionResultType]::ParameterName, 'Read this instead of ~/.ssh/config; `none` reads none')
            [CompletionResult]::new('--ssh-config', '--ssh-config', [CompletionResultType]::ParameterName, 'Read this instead of ~/.ssh/config; `none` reads none')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Characters to send, one after the other has come back')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Characters to send, one after the other has come back')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Send no more of them after this time')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'Send no more of them after this time')
            [CompletionResult]::new('--echotime', '--echotime', [CompletionResultType]::ParameterName, 'Send no more of them after this time')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'The far side''s program that sends back what it gets')
            [CompletionResult]::new('--echo-command', '--echo-command', [CompletionResultType]::ParameterName, 'The far side''s program that sends back what it gets')
            [CompletionResult]::new('--echocmd', '--echocmd', [CompletionResultType]::ParameterName, 'The far side''s program that sends back what it gets')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'MB to send and to fetch')
            [CompletionResult]::new('--size', '--size', [CompletionResultType]::ParameterName, 'MB to send and to fetch')
            [CompletionResult]::new('--speedsize', '--speedsize', [CompletionResultType]::ParameterName, 'MB to send and to fetch')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Only one of the two: e measures echoes, s speed [default: both]')
            [CompletionResult]::new('--runtests', '--runtests', [CompletionResultType]::ParameterName, 'Only one of the two: e measures echoes, s speed [default: both]')
            [CompletionResult]::new('-T', '-T ', [CompletionResultType]::ParameterName, 'A connection stands within this time')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'A connection stands within this time')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'End after this time, whatever is known then')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'End after this time, whatever is known then')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Send from this address of this host')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255')
            [CompletionResult]::new('--dscp', '--dscp', [CompletionResultType]::ParameterName, 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label the record; once for each label')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--no-agent', '--no-agent', [CompletionResultType]::ParameterName, 'Do not ask the agent for keys')
            [CompletionResult]::new('--no-auth', '--no-auth', [CompletionResultType]::ParameterName, 'Do not log in: only connect and exchange keys, to see that the server is well. The server''s key is not judged then')
            [CompletionResult]::new('--accept-new', '--accept-new', [CompletionResultType]::ParameterName, 'Believe a server that nothing is known of, and write its key into the file of known hosts. A changed key never passes')
            [CompletionResult]::new('--tty', '--tty', [CompletionResultType]::ParameterName, 'Let a terminal echo, below a shell, as when a person types')
            [CompletionResult]::new('--sftp', '--sftp', [CompletionResultType]::ParameterName, 'Send and fetch a file below /tmp by SFTP, instead of zeros through programs. It is removed afterwards')
            [CompletionResult]::new('-P', '-P ', [CompletionResultType]::ParameterName, 'End with a line as ping''s: rtt min/avg/max/mdev')
            [CompletionResult]::new('--pingsummary', '--pingsummary', [CompletionResultType]::ParameterName, 'End with a line as ping''s: rtt min/avg/max/mdev')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ecn', '--ecn', [CompletionResultType]::ParameterName, 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the record as one line of JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print the record as CSV: a header, then a row of base units, or one for each of ping''s targets')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Measure again and again, and draw it on a terminal, until told to stop')
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Keep the record in the store (the file''s store.save makes this the rule)')
            [CompletionResult]::new('--no-save', '--no-save', [CompletionResultType]::ParameterName, 'Keep nothing, whatever store.save says')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'waddleperf;bandwidth' {
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'The same, as iperf3''s users write it')
            [CompletionResult]::new('--client', '--client', [CompletionResultType]::ParameterName, 'The same, as iperf3''s users write it')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The server''s port')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The server''s port')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Transmit for this time; 0 until interrupted')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'Transmit for this time; 0 until interrupted')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Transmit so many octets (10M are 10 x 2^20), all streams together, instead of for a time')
            [CompletionResult]::new('--bytes', '--bytes', [CompletionResultType]::ParameterName, 'Transmit so many octets (10M are 10 x 2^20), all streams together, instead of for a time')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Transmit so many blocks or datagrams, all streams together, instead of for a time')
            [CompletionResult]::new('--blockcount', '--blockcount', [CompletionResultType]::ParameterName, 'Transmit so many blocks or datagrams, all streams together, instead of for a time')
            [CompletionResult]::new('-O', '-O ', [CompletionResultType]::ParameterName, 'Transmit for this time first, which does not count: TCP''s slow start')
            [CompletionResult]::new('--omit', '--omit', [CompletionResultType]::ParameterName, 'Transmit for this time first, which does not count: TCP''s slow start')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'A line after each interval, 0.1 to 60 s; 0 is none')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'A line after each interval, 0.1 to 60 s; 0 is none')
            [CompletionResult]::new('-P', '-P ', [CompletionResultType]::ParameterName, 'So many streams at once, in each direction')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'So many streams at once, in each direction')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'Bits per second of each stream and direction (20M are 20 x 10^6), 0 for as fast as can be; /N lets N packets leave back to back [default: 1M over UDP, 0 over TCP]')
            [CompletionResult]::new('--bitrate', '--bitrate', [CompletionResultType]::ParameterName, 'Bits per second of each stream and direction (20M are 20 x 10^6), 0 for as fast as can be; /N lets N packets leave back to back [default: 1M over UDP, 0 over TCP]')
            [CompletionResult]::new('--bandwidth', '--bandwidth', [CompletionResultType]::ParameterName, 'Bits per second of each stream and direction (20M are 20 x 10^6), 0 for as fast as can be; /N lets N packets leave back to back [default: 1M over UDP, 0 over TCP]')
            [CompletionResult]::new('--fq-rate', '--fq-rate', [CompletionResultType]::ParameterName, 'Bits per second of each stream and direction that the kernel keeps to (SO_MAX_PACING_RATE; over UDP where the interface''s queue is fq)')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Octets of each write or datagram [default: 128K over TCP; over UDP what the path takes in one packet]')
            [CompletionResult]::new('--length', '--length', [CompletionResultType]::ParameterName, 'Octets of each write or datagram [default: 128K over TCP; over UDP what the path takes in one packet]')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Socket buffers of both ends, which bound the window')
            [CompletionResult]::new('--window', '--window', [CompletionResultType]::ParameterName, 'Socket buffers of both ends, which bound the window')
            [CompletionResult]::new('-M', '-M ', [CompletionResultType]::ParameterName, 'Largest TCP segment (MSS), octets')
            [CompletionResult]::new('--set-mss', '--set-mss', [CompletionResultType]::ParameterName, 'Largest TCP segment (MSS), octets')
            [CompletionResult]::new('-S', '-S ', [CompletionResultType]::ParameterName, 'Type of service of what both ends send, 0-255; 0x and 0 in front as in C')
            [CompletionResult]::new('--tos', '--tos', [CompletionResultType]::ParameterName, 'Type of service of what both ends send, 0-255; 0x and 0 in front as in C')
            [CompletionResult]::new('-L', '-L ', [CompletionResultType]::ParameterName, 'IPv6''s flow label (RFC 6437) of what both ends send, 1-1048575; 0x in front as in C')
            [CompletionResult]::new('--flowlabel', '--flowlabel', [CompletionResultType]::ParameterName, 'IPv6''s flow label (RFC 6437) of what both ends send, 1-1048575; 0x in front as in C')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'TCP congestion control of both ends, such as cubic, reno or bbr')
            [CompletionResult]::new('--congestion', '--congestion', [CompletionResultType]::ParameterName, 'TCP congestion control of both ends, such as cubic, reno or bbr')
            [CompletionResult]::new('-B', '-B ', [CompletionResultType]::ParameterName, 'Bind to this address of this host, and %DEVICE')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'Bind to this address of this host, and %DEVICE')
            [CompletionResult]::new('--cport', '--cport', [CompletionResultType]::ParameterName, 'Data leave from this port, and from those after it')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'The control connection stands within this time (a bare number is ms)')
            [CompletionResult]::new('--rcv-timeout', '--rcv-timeout', [CompletionResultType]::ParameterName, 'Give up when nothing was received for this time (a bare number is ms)')
            [CompletionResult]::new('--snd-timeout', '--snd-timeout', [CompletionResultType]::ParameterName, 'Give a connection up when what was sent had no answer for this time (a bare number is ms) [default: the system''s]')
            [CompletionResult]::new('--cntl-ka', '--cntl-ka', [CompletionResultType]::ParameterName, 'When the control connection, quiet while the test runs, is asked whether it lives: seconds of silence, seconds between questions, questions')
            [CompletionResult]::new('-A', '-A ', [CompletionResultType]::ParameterName, 'Run on this processor, and after a comma the one that the server is asked to run on')
            [CompletionResult]::new('--affinity', '--affinity', [CompletionResultType]::ParameterName, 'Run on this processor, and after a comma the one that the server is asked to run on')
            [CompletionResult]::new('--loss', '--loss', [CompletionResultType]::ParameterName, 'The share of datagrams that --find-max allows to be lost')
            [CompletionResult]::new('--trial', '--trial', [CompletionResultType]::ParameterName, 'How long each test of --find-max sends; the last one, of the rate that is found, sends for --time')
            [CompletionResult]::new('--retry-busy', '--retry-busy', [CompletionResultType]::ParameterName, 'Ask a server that is busy again, after 1, 2, 4 … seconds, for so long')
            [CompletionResult]::new('--latency', '--latency', [CompletionResultType]::ParameterName, 'Measure round trips before the bulk and while it runs: what queues on the way add to them (bufferbloat)')
            [CompletionResult]::new('--latency-port', '--latency-port', [CompletionResultType]::ParameterName, 'The port that --latency=tcp knocks at, open or closed: not the test''s own, where stock servers take every connection for a client')
            [CompletionResult]::new('-T', '-T ', [CompletionResultType]::ParameterName, 'A title, for the record and the server''s')
            [CompletionResult]::new('--title', '--title', [CompletionResultType]::ParameterName, 'A title, for the record and the server''s')
            [CompletionResult]::new('--extra-data', '--extra-data', [CompletionResultType]::ParameterName, 'A text for the server''s record')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Unit of the rates that are printed: k, m, g or t for bits by powers of 1000, K, M, G or T for octets by powers of 1024')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Unit of the rates that are printed: k, m, g or t for bits by powers of 1000, K, M, G or T for octets by powers of 1024')
            [CompletionResult]::new('--style', '--style', [CompletionResultType]::ParameterName, 'Whose words name the units of what is printed')
            [CompletionResult]::new('--timestamp-format', '--timestamp-format', [CompletionResultType]::ParameterName, 'Begin each line with its time, as strftime(3) writes it (`%H:%M:%S`)')
            [CompletionResult]::new('--logfile', '--logfile', [CompletionResultType]::ParameterName, 'Write what is printed into this file instead, at its end')
            [CompletionResult]::new('--username', '--username', [CompletionResultType]::ParameterName, 'Log in by this name; the password is that of --password-file, or of the variable IPERF3_PASSWORD')
            [CompletionResult]::new('--rsa-public-key-path', '--rsa-public-key-path', [CompletionResultType]::ParameterName, 'The server''s public RSA key (PEM), which the login is encrypted for')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'The password is the content of this file, which only you can read')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Send from this address of this host')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255')
            [CompletionResult]::new('--dscp', '--dscp', [CompletionResultType]::ParameterName, 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label the record; once for each label')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'UDP instead of TCP')
            [CompletionResult]::new('--udp', '--udp', [CompletionResultType]::ParameterName, 'UDP instead of TCP')
            [CompletionResult]::new('-R', '-R ', [CompletionResultType]::ParameterName, 'The server sends, this host receives')
            [CompletionResult]::new('--reverse', '--reverse', [CompletionResultType]::ParameterName, 'The server sends, this host receives')
            [CompletionResult]::new('--bidir', '--bidir', [CompletionResultType]::ParameterName, 'Both send at once')
            [CompletionResult]::new('-N', '-N ', [CompletionResultType]::ParameterName, 'Do not hold back small writes (Nagle''s algorithm off)')
            [CompletionResult]::new('--no-delay', '--no-delay', [CompletionResultType]::ParameterName, 'Do not hold back small writes (Nagle''s algorithm off)')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'Connections over several paths at once (Multipath TCP, RFC 8684), where the server and the system have it; else over one. Of several, what only the kernel knows (retransmits, RTT, cwnd) is not known')
            [CompletionResult]::new('--mptcp', '--mptcp', [CompletionResultType]::ParameterName, 'Connections over several paths at once (Multipath TCP, RFC 8684), where the server and the system have it; else over one. Of several, what only the kernel knows (retransmits, RTT, cwnd) is not known')
            [CompletionResult]::new('-Z', '-Z ', [CompletionResultType]::ParameterName, 'Ask a server other than waddleperf''s, too, to send without copying')
            [CompletionResult]::new('--zerocopy', '--zerocopy', [CompletionResultType]::ParameterName, 'Ask a server other than waddleperf''s, too, to send without copying')
            [CompletionResult]::new('--repeating-payload', '--repeating-payload', [CompletionResultType]::ParameterName, 'The payload is a pattern, which a compressing link makes less of; else random')
            [CompletionResult]::new('--dont-fragment', '--dont-fragment', [CompletionResultType]::ParameterName, 'Over IPv4 datagrams must not be fragmented (DF)')
            [CompletionResult]::new('--rx-copy', '--rx-copy', [CompletionResultType]::ParameterName, 'Copy what is received, as an application would, instead of having the kernel throw it away')
            [CompletionResult]::new('--tx-copy', '--tx-copy', [CompletionResultType]::ParameterName, 'Copy what is sent, as most applications do, instead of lending the kernel the payload''s own pages')
            [CompletionResult]::new('--gso', '--gso', [CompletionResultType]::ParameterName, 'Let the kernel cut and join datagrams of UDP (GSO, GRO): many more of them, in bursts')
            [CompletionResult]::new('--gsro', '--gsro', [CompletionResultType]::ParameterName, 'Let the kernel cut and join datagrams of UDP (GSO, GRO): many more of them, in bursts')
            [CompletionResult]::new('--find-max', '--find-max', [CompletionResultType]::ParameterName, 'Find the highest rate over UDP of which no more is lost than --loss, by short tests of ever other rates, up to that of -b')
            [CompletionResult]::new('--get-server-output', '--get-server-output', [CompletionResultType]::ParameterName, 'Also show what the server says of the test')
            [CompletionResult]::new('--forceflush', '--forceflush', [CompletionResultType]::ParameterName, 'Flush each line; they always are')
            [CompletionResult]::new('-J', '-J ', [CompletionResultType]::ParameterName, 'Print what `iperf3 -J` would, and nothing else')
            [CompletionResult]::new('--iperf3-json', '--iperf3-json', [CompletionResultType]::ParameterName, 'Print what `iperf3 -J` would, and nothing else')
            [CompletionResult]::new('--json-stream', '--json-stream', [CompletionResultType]::ParameterName, 'Print a line of JSON when it begins, after each interval and at its end, as `iperf3 --json-stream` does')
            [CompletionResult]::new('--udp-counters-64bit', '--udp-counters-64bit', [CompletionResultType]::ParameterName, 'Sequence numbers have 64 bits; they always have')
            [CompletionResult]::new('--use-pkcs1-padding', '--use-pkcs1-padding', [CompletionResultType]::ParameterName, 'Encrypt it as iperf3 up to 3.16 does (PKCS#1 v1.5 instead of OAEP), which servers from 3.17 on refuse unless they are told')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ecn', '--ecn', [CompletionResultType]::ParameterName, 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the record as one line of JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print the record as CSV: a header, then a row of base units, or one for each of ping''s targets')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Measure again and again, and draw it on a terminal, until told to stop')
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Keep the record in the store (the file''s store.save makes this the rule)')
            [CompletionResult]::new('--no-save', '--no-save', [CompletionResultType]::ParameterName, 'Keep nothing, whatever store.save says')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'waddleperf;capture' {
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Capture on this interface, or on `any` [default: the one that leads to TARGET, else any]')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Capture on this interface, or on `any` [default: the one that leads to TARGET, else any]')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Keep only what this accepts, by pcap-filter(7) without arithmetic: `tcp port 80 and not net 10`')
            [CompletionResult]::new('--filter', '--filter', [CompletionResultType]::ParameterName, 'Keep only what this accepts, by pcap-filter(7) without arithmetic: `tcp port 80 and not net 10`')
            [CompletionResult]::new('--bpf', '--bpf', [CompletionResultType]::ParameterName, 'Keep only what this compiled filter accepts: what `tcpdump -ddd` prints, with commas for its line ends')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Stop after this many packets')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Stop after this many packets')
            [CompletionResult]::new('--duration', '--duration', [CompletionResultType]::ParameterName, 'Stop after this time')
            [CompletionResult]::new('--size', '--size', [CompletionResultType]::ParameterName, 'Stop before the file, or all files together, have more than this many MiB; a ring by -C and -W bounds itself')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Octets that are kept of each packet; 128 hold its headers, 0 is all')
            [CompletionResult]::new('--snaplen', '--snaplen', [CompletionResultType]::ParameterName, 'Octets that are kept of each packet; 128 hold its headers, 0 is all')
            [CompletionResult]::new('--snapshot-length', '--snapshot-length', [CompletionResultType]::ParameterName, 'Octets that are kept of each packet; 128 hold its headers, 0 is all')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Write the packets to this file (pcapng, readable by its owner only); `-` is stdout. With -G, `%` is strftime(3)''s')
            [CompletionResult]::new('--write', '--write', [CompletionResultType]::ParameterName, 'Write the packets to this file (pcapng, readable by its owner only); `-` is stdout. With -G, `%` is strftime(3)''s')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Go on in another file before one has more than so many millions of octets')
            [CompletionResult]::new('--file-size', '--file-size', [CompletionResultType]::ParameterName, 'Go on in another file before one has more than so many millions of octets')
            [CompletionResult]::new('-W', '-W ', [CompletionResultType]::ParameterName, 'Keep the latest N files only, with -C or -G (tcpdump -G ends after N)')
            [CompletionResult]::new('--files', '--files', [CompletionResultType]::ParameterName, 'Keep the latest N files only, with -C or -G (tcpdump -G ends after N)')
            [CompletionResult]::new('-G', '-G ', [CompletionResultType]::ParameterName, 'Go on in another file after this time')
            [CompletionResult]::new('--rotate', '--rotate', [CompletionResultType]::ParameterName, 'Go on in another file after this time')
            [CompletionResult]::new('-B', '-B ', [CompletionResultType]::ParameterName, 'KiB of the ring that the kernel writes to')
            [CompletionResult]::new('--buffer', '--buffer', [CompletionResultType]::ParameterName, 'KiB of the ring that the kernel writes to')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label the record; once for each label')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'e')
            [CompletionResult]::new('-U', '-U ', [CompletionResultType]::ParameterName, 'U')
            [CompletionResult]::new('--list-interfaces', '--list-interfaces', [CompletionResultType]::ParameterName, 'Print what -i may name, and nothing else (tcpdump''s -D)')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'TARGET is a file: sum up its packets instead of capturing')
            [CompletionResult]::new('--read', '--read', [CompletionResultType]::ParameterName, 'TARGET is a file: sum up its packets instead of capturing')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Keep the packets of every host')
            [CompletionResult]::new('--own', '--own', [CompletionResultType]::ParameterName, 'Keep the packets of the ssh connection that this was started through, too')
            [CompletionResult]::new('--full', '--full', [CompletionResultType]::ParameterName, 'Keep whole packets, as -s 0 does')
            [CompletionResult]::new('--pcap', '--pcap', [CompletionResultType]::ParameterName, 'Write pcap with nanoseconds instead of pcapng')
            [CompletionResult]::new('--redact', '--redact', [CompletionResultType]::ParameterName, 'Write zeros for all behind the transport''s header')
            [CompletionResult]::new('--anon', '--anon', [CompletionResultType]::ParameterName, 'Replace addresses by others with the same prefixes in common, by a key that is forgotten; redacts as well')
            [CompletionResult]::new('--promisc', '--promisc', [CompletionResultType]::ParameterName, 'Capture also what is for other hosts, where the interface sees it')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Capture only what is for this host, which is so unless --promisc is set (tcpdump''s -p)')
            [CompletionResult]::new('--no-promisc', '--no-promisc', [CompletionResultType]::ParameterName, 'Capture only what is for this host, which is so unless --promisc is set (tcpdump''s -p)')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Print numbers, not names: always so, for tcpdump''s users, who may say it twice')
            [CompletionResult]::new('--numeric', '--numeric', [CompletionResultType]::ParameterName, 'Print numbers, not names: always so, for tcpdump''s users, who may say it twice')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the record as one line of JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print the record as CSV: a header, then a row of base units, or one for each of ping''s targets')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Measure again and again, and draw it on a terminal, until told to stop')
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Keep the record in the store (the file''s store.save makes this the rule)')
            [CompletionResult]::new('--no-save', '--no-save', [CompletionResultType]::ParameterName, 'Keep nothing, whatever store.save says')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'waddleperf;sysinfo' {
            [CompletionResult]::new('--only', '--only', [CompletionResultType]::ParameterName, 'Only these parts, separated by commas [default: all]')
            [CompletionResult]::new('--rate', '--rate', [CompletionResultType]::ParameterName, 'Read counters twice, this long apart, so that they become rates')
            [CompletionResult]::new('--diff', '--diff', [CompletionResultType]::ParameterName, 'Tell what has changed since the record in FILE, as --json writes it (- is standard input); given twice, what changed from the first to the second, and this host is not looked at')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label the record; once for each label')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--processes', '--processes', [CompletionResultType]::ParameterName, 'List the processes that use the most CPU time and memory, with their command lines')
            [CompletionResult]::new('--sockets', '--sockets', [CompletionResultType]::ParameterName, 'List TCP connections with their round-trip times and retransmissions, those that lose most first')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the record as one line of JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print the record as CSV: a header, then a row of base units, or one for each of ping''s targets')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Measure again and again, and draw it on a terminal, until told to stop')
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Keep the record in the store (the file''s store.save makes this the rule)')
            [CompletionResult]::new('--no-save', '--no-save', [CompletionResultType]::ParameterName, 'Keep nothing, whatever store.save says')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'waddleperf;serve' {
            [CompletionResult]::new('--listen', '--listen', [CompletionResultType]::ParameterName, 'Where a service listens, or `NAME=off`; once for each (udpping, on, port 2000; iperf3, on, port 5201; stamp, off, port 862)')
            [CompletionResult]::new('--udp-key-file', '--udp-key-file', [CompletionResultType]::ParameterName, 'File with the key that UDP clients must share')
            [CompletionResult]::new('--iperf3-allow', '--iperf3-allow', [CompletionResultType]::ParameterName, 'A network or an address that iperf3''s clients may test from; once for each (without any: all)')
            [CompletionResult]::new('--iperf3-deny', '--iperf3-deny', [CompletionResultType]::ParameterName, 'A network or an address that they may not test from; once for each')
            [CompletionResult]::new('--rsa-private-key-path', '--rsa-private-key-path', [CompletionResultType]::ParameterName, 'Clients must log in: the private RSA key (PEM) that their logins are encrypted for')
            [CompletionResult]::new('--authorized-users-path', '--authorized-users-path', [CompletionResultType]::ParameterName, 'Who may log in: lines of NAME,HASH with the SHA-256 of {NAME}PASSWORD')
            [CompletionResult]::new('--time-skew-threshold', '--time-skew-threshold', [CompletionResultType]::ParameterName, 'How far a client''s clock may be off [default: 10s]')
            [CompletionResult]::new('--server-bitrate-limit', '--server-bitrate-limit', [CompletionResultType]::ParameterName, 'Bits per second of a test of iperf3, over TCP and over UDP (K, M, G and T for powers of 1000; 0 is no limit)')
            [CompletionResult]::new('--server-max-duration', '--server-max-duration', [CompletionResultType]::ParameterName, 'How long a test of iperf3 may take (0: no limit)')
            [CompletionResult]::new('--iperf3-show', '--iperf3-show', [CompletionResultType]::ParameterName, 'Show each test of iperf3 on stdout, as iperf3''s own server does')
            [CompletionResult]::new('--iperf3-interval', '--iperf3-interval', [CompletionResultType]::ParameterName, 'How long the intervals are that are shown, from 100 ms; 0 is none [default: 1s]')
            [CompletionResult]::new('--iperf3-format', '--iperf3-format', [CompletionResultType]::ParameterName, 'Unit of the rates that are shown: k, m, g, t, K, M, G or T')
            [CompletionResult]::new('--iperf3-timestamps', '--iperf3-timestamps', [CompletionResultType]::ParameterName, 'Begin each line that is shown with its time, as strftime(3) writes it')
            [CompletionResult]::new('--pidfile', '--pidfile', [CompletionResultType]::ParameterName, 'Write the process''s number into this file, and nothing into it at the end')
            [CompletionResult]::new('--logfile', '--logfile', [CompletionResultType]::ParameterName, 'Write what is told to the end of this file instead of stdout and stderr')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'The account to become when started as root')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--udp-legacy', '--udp-legacy', [CompletionResultType]::ParameterName, 'Also echo what is no session of ours, verbatim, to private addresses only')
            [CompletionResult]::new('--use-pkcs1-padding', '--use-pkcs1-padding', [CompletionResultType]::ParameterName, 'Also take logins of clients up to iperf 3.16 (PKCS#1 v1.5)')
            [CompletionResult]::new('--mptcp', '--mptcp', [CompletionResultType]::ParameterName, 'Let clients of iperf3 have connections over several paths (Multipath TCP)')
            [CompletionResult]::new('--one-off', '--one-off', [CompletionResultType]::ParameterName, 'End after one test of iperf3, whatever came of it; one at a time')
            [CompletionResult]::new('--daemon', '--daemon', [CompletionResultType]::ParameterName, 'Go to the background once all is open')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'waddleperf;autoperf' {
            [CompletionResult]::new('--target', '--target', [CompletionResultType]::ParameterName, 'Measure only this target; may be repeated')
            [CompletionResult]::new('--tier', '--tier', [CompletionResultType]::ParameterName, 'Run this tier now, whatever the state; its budget still counts')
            [CompletionResult]::new('--stagger', '--stagger', [CompletionResultType]::ParameterName, 'First wait for a time up to this, which is this host''s own: so that hosts with one crontab do not burst')
            [CompletionResult]::new('--if-locked', '--if-locked', [CompletionResultType]::ParameterName, 'What to do when another process measures already and takes no orders: end with 75, or with 0 and silently')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--ignore-budget', '--ignore-budget', [CompletionResultType]::ParameterName, 'Run it although the day''s budget is spent')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'End with 1 when a target is bad')
            [CompletionResult]::new('--nagios', '--nagios', [CompletionResultType]::ParameterName, 'End with a Nagios plugin''s codes and print its line, with performance data')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print each run''s record as one line of JSON')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing but failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing but failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'One round of every target now, and what it leads to (also without this word)')
            [CompletionResult]::new('daemon', 'daemon', [CompletionResultType]::ParameterValue, 'Measure on the schedule, in the foreground until told to stop')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Print what would be measured, how often, and the most that it sends; nothing is sent')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Print how the targets are')
            break
        }
        'waddleperf;autoperf;run' {
            [CompletionResult]::new('--target', '--target', [CompletionResultType]::ParameterName, 'Measure only this target; may be repeated')
            [CompletionResult]::new('--tier', '--tier', [CompletionResultType]::ParameterName, 'Run this tier now, whatever the state; its budget still counts')
            [CompletionResult]::new('--stagger', '--stagger', [CompletionResultType]::ParameterName, 'First wait for a time up to this, which is this host''s own: so that hosts with one crontab do not burst')
            [CompletionResult]::new('--if-locked', '--if-locked', [CompletionResultType]::ParameterName, 'What to do when another process measures already and takes no orders: end with 75, or with 0 and silently')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--ignore-budget', '--ignore-budget', [CompletionResultType]::ParameterName, 'Run it although the day''s budget is spent')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'End with 1 when a target is bad')
            [CompletionResult]::new('--nagios', '--nagios', [CompletionResultType]::ParameterName, 'End with a Nagios plugin''s codes and print its line, with performance data')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print each run''s record as one line of JSON')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing but failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing but failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'waddleperf;autoperf;daemon' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'waddleperf;autoperf;check' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'waddleperf;autoperf;status' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one line of JSON for each target')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'waddleperf;results' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List records, newest first, one a line')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show one record')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Write records for another program, oldest first')
            [CompletionResult]::new('stats', 'stats', [CompletionResultType]::ParameterValue, 'Count what there is, and sum up each series')
            [CompletionResult]::new('prune', 'prune', [CompletionResultType]::ParameterValue, 'Remove what is old')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Check the whole store')
            [CompletionResult]::new('ids', 'ids', [CompletionResultType]::ParameterValue, 'List ids alone')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Keep what ping, pping, mtr, iperf3, irtt or an earlier WaddlePerf measured')
            break
        }
        'waddleperf;results;list' {
            [CompletionResult]::new('--kind', '--kind', [CompletionResultType]::ParameterName, 'Only this kind (also autoperf and gap); may be given several times')
            [CompletionResult]::new('--target', '--target', [CompletionResultType]::ParameterName, 'Only this target, * stands for any text; may be given several times')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Only with this label; may be given several times')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'From then on: a span before now (6h) or RFC 3339')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Before then: a span before now (1h) or RFC 3339')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'At most so many records')
            [CompletionResult]::new('--after', '--after', [CompletionResultType]::ParameterName, 'Go on behind this cursor, which a limited answer names')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--oldest', '--oldest', [CompletionResultType]::ParameterName, 'Oldest first')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object: records, and the cursor for more')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'waddleperf;results;show' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the record as one line of JSON')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'waddleperf;results;export' {
            [CompletionResult]::new('--kind', '--kind', [CompletionResultType]::ParameterName, 'Only this kind (also autoperf and gap); may be given several times')
            [CompletionResult]::new('--target', '--target', [CompletionResultType]::ParameterName, 'Only this target, * stands for any text; may be given several times')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Only with this label; may be given several times')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'From then on: a span before now (6h) or RFC 3339')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Before then: a span before now (1h) or RFC 3339')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'At most so many records')
            [CompletionResult]::new('--after', '--after', [CompletionResultType]::ParameterName, 'Go on behind this cursor, which a limited answer names')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How it is written')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'waddleperf;results;stats' {
            [CompletionResult]::new('--kind', '--kind', [CompletionResultType]::ParameterName, 'Only this kind (also autoperf and gap); may be given several times')
            [CompletionResult]::new('--target', '--target', [CompletionResultType]::ParameterName, 'Only this target, * stands for any text; may be given several times')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Only with this label; may be given several times')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'From then on: a span before now (6h) or RFC 3339')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Before then: a span before now (1h) or RFC 3339')
            [CompletionResult]::new('--scalar', '--scalar', [CompletionResultType]::ParameterName, 'The number that is told of each series')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one line of JSON')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'waddleperf;results;prune' {
            [CompletionResult]::new('--older', '--older', [CompletionResultType]::ParameterName, 'Remove raw records that are older than this, by whole hours before the newest record [default: as store.retention says]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only say how many')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one line of JSON')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'waddleperf;results;verify' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one line of JSON')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'waddleperf;results;ids' {
            [CompletionResult]::new('--kind', '--kind', [CompletionResultType]::ParameterName, 'Only this kind (also autoperf and gap); may be given several times')
            [CompletionResult]::new('--target', '--target', [CompletionResultType]::ParameterName, 'Only this target, * stands for any text; may be given several times')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Only with this label; may be given several times')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'From then on: a span before now (6h) or RFC 3339')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Before then: a span before now (1h) or RFC 3339')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'At most so many records')
            [CompletionResult]::new('--after', '--after', [CompletionResultType]::ParameterName, 'Go on behind this cursor, which a limited answer names')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object: ids, and the cursor for more')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'waddleperf;results;import' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Which tool wrote it')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'When it was measured, where the content does not say [default: when the file was written]')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'A label for every record; may be given several times')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object: the ids')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'waddleperf;geoip' {
            [CompletionResult]::new('--geo', '--geo', [CompletionResultType]::ParameterName, 'Ask this database instead; may be given several times')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one line of JSON for each address')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print CSV: a header, then a row for each address; what is not known is empty')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('update', 'update', [CompletionResultType]::ParameterValue, 'Fetch newer databases, check them and put them into their place')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the databases that are asked')
            break
        }
        'waddleperf;geoip;update' {
            [CompletionResult]::new('--url', '--url', [CompletionResultType]::ParameterName, 'Fetch this URL or file instead of what the configuration names')
            [CompletionResult]::new('--sha256', '--sha256', [CompletionResultType]::ParameterName, 'Its SHA-256, or the URL of a file that begins with it (its path, where --url is one)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Take it also if it is unchanged or older than what is there')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one line of JSON for each')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'waddleperf;geoip;list' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one line of JSON for each')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'waddleperf;health' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one line of JSON')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'waddleperf;config' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Say whether the configuration is right; the first fault is named with its line')
            [CompletionResult]::new('print', 'print', [CompletionResultType]::ParameterValue, 'Print the configuration in force, defaults filled in, secrets hidden')
            break
        }
        'waddleperf;config;check' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'waddleperf;config;print' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'waddleperf;setup' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('links', 'links', [CompletionResultType]::ParameterValue, 'Make the names by which a command is called alone, such as `udpping`')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a shell''s completions, or write all shells'' into a directory')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Write the manual pages')
            [CompletionResult]::new('docs', 'docs', [CompletionResultType]::ParameterValue, 'Write the reference of records and configuration (Markdown)')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Print a commented configuration to begin with')
            [CompletionResult]::new('cron', 'cron', [CompletionResultType]::ParameterValue, 'Print the crontab line for `autoperf run`, or install it')
            [CompletionResult]::new('timer', 'timer', [CompletionResultType]::ParameterValue, 'Print the systemd units for `autoperf run`, or write them')
            break
        }
        'waddleperf;setup;links' {
            [CompletionResult]::new('--dir', '--dir', [CompletionResultType]::ParameterName, 'Where to make them [default: ~/.local/bin]')
            [CompletionResult]::new('--prefix', '--prefix', [CompletionResultType]::ParameterName, 'Put this before each name, such as `wp-`')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--upstream', '--upstream', [CompletionResultType]::ParameterName, 'Also the names of earlier tools (perfDB, waddledb, ppingParser)')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replace other files of these names')
            [CompletionResult]::new('--hard', '--hard', [CompletionResultType]::ParameterName, 'Make hard links')
            [CompletionResult]::new('--sym', '--sym', [CompletionResultType]::ParameterName, 'Make symbolic links, which is the default')
            [CompletionResult]::new('--list', '--list', [CompletionResultType]::ParameterName, 'Only list the names')
            [CompletionResult]::new('--remove', '--remove', [CompletionResultType]::ParameterName, 'Remove the links again; nothing else is touched')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'waddleperf;setup;completions' {
            [CompletionResult]::new('--dir', '--dir', [CompletionResultType]::ParameterName, 'Write the files of all shells here')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'waddleperf;setup;man' {
            [CompletionResult]::new('--dir', '--dir', [CompletionResultType]::ParameterName, 'Where to; made if it does not exist')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'waddleperf;setup;docs' {
            [CompletionResult]::new('--dir', '--dir', [CompletionResultType]::ParameterName, 'Where to; made if it does not exist')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'waddleperf;setup;config' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'waddleperf;setup;cron' {
            [CompletionResult]::new('--every', '--every', [CompletionResultType]::ParameterName, 'Time between two rounds: whole minutes that divide an hour, or whole hours that divide a day')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--install', '--install', [CompletionResultType]::ParameterName, 'Put the line into this account''s crontab, in the place of an earlier one')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'waddleperf;setup;timer' {
            [CompletionResult]::new('--every', '--every', [CompletionResultType]::ParameterName, 'Time between two rounds: whole minutes that divide an hour, or whole hours that divide a day')
            [CompletionResult]::new('--dir', '--dir', [CompletionResultType]::ParameterName, 'Where to write them')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--install', '--install', [CompletionResultType]::ParameterName, 'Write the units, instead of printing them; `systemctl enable --now waddleperf-autoperf.timer` starts them')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}

using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'ping' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'ping'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'ping' {
            [CompletionResult]::new('--mode', '--mode', [CompletionResultType]::ParameterName, 'What is sent, and what counts as a reply [default: icmp, with --port tcp]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Port, and --mode tcp where no mode is given [default: tcp and http 80, tls, https and quic 443, dns 53]')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name that a DNS server is asked for (its NS records), or that a TLS server is asked to be')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Send this many packets to each target, then stop')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Send this many packets to each target, then stop')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Time between two packets [default: 1s to one target; 10ms between different ones, and then each target gets one by --per-target-interval]; bare numbers are seconds')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Time between two packets [default: 1s to one target; 10ms between different ones, and then each target gets one by --per-target-interval]; bare numbers are seconds')
            [CompletionResult]::new('--per-target-interval', '--per-target-interval', [CompletionResultType]::ParameterName, 'Time between two packets to the same one of many targets, fping''s -p [default: 1s]')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Octets of payload of an echo message')
            [CompletionResult]::new('--size', '--size', [CompletionResultType]::ParameterName, 'Octets of payload of an echo message')
            [CompletionResult]::new('-W', '-W ', [CompletionResultType]::ParameterName, 'How long to wait for the reply to each packet; later ones are `late` [default: 2s; 0.5s with -a, -u and -r, where each wait is --backoff times the one before]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to wait for the reply to each packet; later ones are `late` [default: 2s; 0.5s with -a, -u and -r, where each wait is --backoff times the one before]')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'End after this time, however many packets are left; what is in flight then is not counted')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'End after this time, however many packets are left; what is in flight then is not counted')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Fill the payload with these octets, in hexadecimal')
            [CompletionResult]::new('--pattern', '--pattern', [CompletionResultType]::ParameterName, 'Fill the payload with these octets, in hexadecimal')
            [CompletionResult]::new('-Q', '-Q ', [CompletionResultType]::ParameterName, 'Type of service, DSCP and ECN in one octet, as ping takes it (46 << 2 = 184 is EF)')
            [CompletionResult]::new('--tos', '--tos', [CompletionResultType]::ParameterName, 'Type of service, DSCP and ECN in one octet, as ping takes it (46 << 2 = 184 is EF)')
            [CompletionResult]::new('-M', '-M ', [CompletionResultType]::ParameterName, 'Whether packets may be cut on their way, and what becomes of those that are too large')
            [CompletionResult]::new('--pmtudisc', '--pmtudisc', [CompletionResultType]::ParameterName, 'Whether packets may be cut on their way, and what becomes of those that are too large')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Send this many packets at once, before the first interval (more than 3: root, or --force)')
            [CompletionResult]::new('--preload', '--preload', [CompletionResultType]::ParameterName, 'Send this many packets at once, before the first interval (more than 3: root, or --force)')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Identify the echo messages by this number, instead of one that is free')
            [CompletionResult]::new('--identifier', '--identifier', [CompletionResultType]::ParameterName, 'Identify the echo messages by this number, instead of one that is free')
            [CompletionResult]::new('-F', '-F ', [CompletionResultType]::ParameterName, 'Measure what this file lists too, a target on each line; `-` is standard input')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Measure what this file lists too, a target on each line; `-` is standard input')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Send this many packets to each target, and list the time of each in columns, as fping does')
            [CompletionResult]::new('--vcount', '--vcount', [CompletionResultType]::ParameterName, 'Send this many packets to each target, and list the time of each in columns, as fping does')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Ask until each target has answered once, at most this often again [default: 3 with -a or -u]')
            [CompletionResult]::new('--retries', '--retries', [CompletionResultType]::ParameterName, 'Ask until each target has answered once, at most this often again [default: 3 with -a or -u]')
            [CompletionResult]::new('-B', '-B ', [CompletionResultType]::ParameterName, 'How much longer than the one before each such wait is')
            [CompletionResult]::new('--backoff', '--backoff', [CompletionResultType]::ParameterName, 'How much longer than the one before each such wait is')
            [CompletionResult]::new('--style', '--style', [CompletionResultType]::ParameterName, 'How text looks')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Send from this address of this host')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--dscp', '--dscp', [CompletionResultType]::ParameterName, 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label the record; once for each label')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Send the next packet as soon as the last was answered, and 100 each second at least (root, or --force)')
            [CompletionResult]::new('--flood', '--flood', [CompletionResultType]::ParameterName, 'Send the next packet as soon as the last was answered, and 100 each second at least (root, or --force)')
            [CompletionResult]::new('-A', '-A ', [CompletionResultType]::ParameterName, 'Send the next packet as soon as the last was answered, though not within 2 ms but for root, and else after the interval')
            [CompletionResult]::new('--adaptive', '--adaptive', [CompletionResultType]::ParameterName, 'Send the next packet as soon as the last was answered, though not within 2 ms but for root, and else after the interval')
            [CompletionResult]::new('-R', '-R ', [CompletionResultType]::ParameterName, 'ping''s -R, which is refused: routers answer it no more')
            [CompletionResult]::new('--record-route', '--record-route', [CompletionResultType]::ParameterName, 'ping''s -R, which is refused: routers answer it no more')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Allow what else only root may: less than 2 ms between two packets to one target, -f, and -l beyond 3')
            [CompletionResult]::new('--catch-up', '--catch-up', [CompletionResultType]::ParameterName, 'Send packets to one target that were missed by more than one interval at once, instead of counting them as skipped; of many targets none is skipped')
            [CompletionResult]::new('-O', '-O ', [CompletionResultType]::ParameterName, 'Say so when a packet is not answered before the next one is sent')
            [CompletionResult]::new('--outstanding', '--outstanding', [CompletionResultType]::ParameterName, 'Say so when a packet is not answered before the next one is sent')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Never look names up: this is always so, and the flag is taken for the users of ping')
            [CompletionResult]::new('--numeric', '--numeric', [CompletionResultType]::ParameterName, 'Never look names up: this is always so, and the flag is taken for the users of ping')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'Measure all addresses of each name, 64 at most, as fping does, instead of the first that the resolver gives')
            [CompletionResult]::new('--all-addresses', '--all-addresses', [CompletionResultType]::ParameterName, 'Measure all addresses of each name, 64 at most, as fping does, instead of the first that the resolver gives')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'Allow broadcast and multicast addresses, and list who replies')
            [CompletionResult]::new('--broadcast', '--broadcast', [CompletionResultType]::ParameterName, 'Allow broadcast and multicast addresses, and list who replies')
            [CompletionResult]::new('-g', '-g', [CompletionResultType]::ParameterName, 'Take two addresses for the ends of a range, as fping does. Networks and ranges in one word need no flag')
            [CompletionResult]::new('--generate', '--generate', [CompletionResultType]::ParameterName, 'Take two addresses for the ends of a range, as fping does. Networks and ranges in one word need no flag')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Measure more than 4096 generated addresses')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Ask until each target has answered once, and list those that have')
            [CompletionResult]::new('--alive', '--alive', [CompletionResultType]::ParameterName, 'Ask until each target has answered once, and list those that have')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'Ask until each target has answered once, and list those that have not')
            [CompletionResult]::new('--unreach', '--unreach', [CompletionResultType]::ParameterName, 'Ask until each target has answered once, and list those that have not')
            [CompletionResult]::new('--elapsed', '--elapsed', [CompletionResultType]::ParameterName, 'With -a, tell the time of the reply too, fping''s -e')
            [CompletionResult]::new('--addr', '--addr', [CompletionResultType]::ParameterName, 'Call targets by their addresses, fping''s -A')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ecn', '--ecn', [CompletionResultType]::ParameterName, 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the record as one line of JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print the record as CSV: a header, then a row of base units, or one for each of ping''s targets')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Measure again and again, and draw it on a terminal, until told to stop')
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Keep the record in the store (the file''s store.save makes this the rule)')
            [CompletionResult]::new('--no-save', '--no-save', [CompletionResultType]::ParameterName, 'Keep nothing, whatever store.save says')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}

using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'udpping' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'udpping'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'udpping' {
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'UDP port of the reflector [default: 2000; stamp and twamp: 862]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'UDP port of the reflector [default: 2000; stamp and twamp: 862]')
            [CompletionResult]::new('--protocol', '--protocol', [CompletionResultType]::ParameterName, 'Format of the packets')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Send this many packets, then stop')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Send this many packets, then stop')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Time between two packets (or bursts), kept by an absolute plan; bare numbers are seconds')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Time between two packets (or bursts), kept by an absolute plan; bare numbers are seconds')
            [CompletionResult]::new('--schedule', '--schedule', [CompletionResultType]::ParameterName, 'How the intervals are drawn: all alike, or exponentially distributed around the same mean (RFC 3432)')
            [CompletionResult]::new('--burst', '--burst', [CompletionResultType]::ParameterName, 'Packets sent back to back at each point of the schedule')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Octets of UDP payload; formats round it up to what they need')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Octets of UDP payload; formats round it up to what they need')
            [CompletionResult]::new('--size', '--size', [CompletionResultType]::ParameterName, 'Octets of UDP payload; formats round it up to what they need')
            [CompletionResult]::new('-W', '-W ', [CompletionResultType]::ParameterName, 'How long to wait for the reply to each packet; later ones are `late`')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to wait for the reply to each packet; later ones are `late`')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Stop sending after this time, however many packets are left (irtt''s -d)')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Stop sending after this time, however many packets are left (irtt''s -d)')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'Stop sending after this time, however many packets are left (irtt''s -d)')
            [CompletionResult]::new('--key-file', '--key-file', [CompletionResultType]::ParameterName, 'File with the key that the reflector shares (its octets, without white space at the ends)')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Send from this address of this host')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255')
            [CompletionResult]::new('--dscp', '--dscp', [CompletionResultType]::ParameterName, 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label the record; once for each label')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--assume-synced', '--assume-synced', [CompletionResultType]::ParameterName, 'Report one-way delays although nothing proves that the two clocks agree')
            [CompletionResult]::new('--catch-up', '--catch-up', [CompletionResultType]::ParameterName, 'Send packets that were missed by more than one interval at once, instead of counting them as skipped')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ecn', '--ecn', [CompletionResultType]::ParameterName, 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the record as one line of JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print the record as CSV: a header, then a row of base units, or one for each of ping''s targets')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Measure again and again, and draw it on a terminal, until told to stop')
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Keep the record in the store (the file''s store.save makes this the rule)')
            [CompletionResult]::new('--no-save', '--no-save', [CompletionResultType]::ParameterName, 'Keep nothing, whatever store.save says')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}

using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'mtr' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'mtr'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'mtr' {
            [CompletionResult]::new('-F', '-F ', [CompletionResultType]::ParameterName, 'Trace the targets that this file lists, one after the other; `-` is standard input')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Trace the targets that this file lists, one after the other; `-` is standard input')
            [CompletionResult]::new('--filename', '--filename', [CompletionResultType]::ParameterName, 'Trace the targets that this file lists, one after the other; `-` is standard input')
            [CompletionResult]::new('--strategy', '--strategy', [CompletionResultType]::ParameterName, 'How the number of a probe is carried: paris keeps all probes of a flow on one path, so does dublin, by the IP header (CAP_NET_RAW), classic is traceroute''s, whose ports vary (for firewalls that want those)')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Trace this many cycles, then stop')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Trace this many cycles, then stop')
            [CompletionResult]::new('--report-cycles', '--report-cycles', [CompletionResultType]::ParameterName, 'Trace this many cycles, then stop')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Time from one cycle to the next; bare numbers are seconds')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Time from one cycle to the next; bare numbers are seconds')
            [CompletionResult]::new('--flows', '--flows', [CompletionResultType]::ParameterName, 'Trace this many flows side by side: each keeps its own path')
            [CompletionResult]::new('--mda', '--mda', [CompletionResultType]::ParameterName, 'Find every path that load balancing offers, once, instead of tracing cycle after cycle: lite or full')
            [CompletionResult]::new('--confidence', '--confidence', [CompletionResultType]::ParameterName, 'How sure --mda shall be that it misses no next hop of a node, in percent')
            [CompletionResult]::new('-P', '-P ', [CompletionResultType]::ParameterName, 'Destination port of UDP and TCP [default: 33434; quic: 443, tcp: 80]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Destination port of UDP and TCP [default: 33434; quic: 443, tcp: 80]')
            [CompletionResult]::new('-L', '-L ', [CompletionResultType]::ParameterName, 'Source port of the first flow over UDP and TCP; further flows take the next ones')
            [CompletionResult]::new('--localport', '--localport', [CompletionResultType]::ParameterName, 'Source port of the first flow over UDP and TCP; further flows take the next ones')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Octets of each probe''s IP packet; what a probe needs at least is kept. Over IPv6 dublin''s have each their own length')
            [CompletionResult]::new('--size', '--size', [CompletionResultType]::ParameterName, 'Octets of each probe''s IP packet; what a probe needs at least is kept. Over IPv6 dublin''s have each their own length')
            [CompletionResult]::new('--psize', '--psize', [CompletionResultType]::ParameterName, 'Octets of each probe''s IP packet; what a probe needs at least is kept. Over IPv6 dublin''s have each their own length')
            [CompletionResult]::new('-B', '-B ', [CompletionResultType]::ParameterName, 'Fill the probes of ICMP and UDP with this octet, 0-255; a larger number draws one')
            [CompletionResult]::new('--bitpattern', '--bitpattern', [CompletionResultType]::ParameterName, 'Fill the probes of ICMP and UDP with this octet, 0-255; a larger number draws one')
            [CompletionResult]::new('-Q', '-Q ', [CompletionResultType]::ParameterName, 'Type of service of the probes, the whole octet: DSCP and ECN at once, where --dscp and --ecn take each')
            [CompletionResult]::new('--tos', '--tos', [CompletionResultType]::ParameterName, 'Type of service of the probes, the whole octet: DSCP and ECN at once, where --dscp and --ecn take each')
            [CompletionResult]::new('-M', '-M ', [CompletionResultType]::ParameterName, 'Mark the packets for this host''s own routing and filters (SO_MARK); needs CAP_NET_ADMIN, or CAP_NET_RAW since Linux 5.17')
            [CompletionResult]::new('--mark', '--mark', [CompletionResultType]::ParameterName, 'Mark the packets for this host''s own routing and filters (SO_MARK); needs CAP_NET_ADMIN, or CAP_NET_RAW since Linux 5.17')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'TTL of the first hop')
            [CompletionResult]::new('--first-ttl', '--first-ttl', [CompletionResultType]::ParameterName, 'TTL of the first hop')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'TTL of the last hop at most')
            [CompletionResult]::new('--max-ttl', '--max-ttl', [CompletionResultType]::ParameterName, 'TTL of the last hop at most')
            [CompletionResult]::new('-U', '-U ', [CompletionResultType]::ParameterName, 'Give up after this many silent hops in a row')
            [CompletionResult]::new('--max-unknown', '--max-unknown', [CompletionResultType]::ParameterName, 'Give up after this many silent hops in a row')
            [CompletionResult]::new('-Z', '-Z ', [CompletionResultType]::ParameterName, 'How long to wait for the reply to each probe; later ones are `late`')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to wait for the reply to each probe; later ones are `late`')
            [CompletionResult]::new('-G', '-G ', [CompletionResultType]::ParameterName, 'How long to wait for the last replies [default: half more than the longest round trip, 100 ms to 1 s]')
            [CompletionResult]::new('--gracetime', '--gracetime', [CompletionResultType]::ParameterName, 'How long to wait for the last replies [default: half more than the longest round trip, 100 ms to 1 s]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Show each hop''s AS number (0), prefix (1) or country (2), from a local database (mtr''s numbers); the registry (3) and the date of allocation (4) are in none, and are shown as `???`')
            [CompletionResult]::new('--ipinfo', '--ipinfo', [CompletionResultType]::ParameterName, 'Show each hop''s AS number (0), prefix (1) or country (2), from a local database (mtr''s numbers); the registry (3) and the date of allocation (4) are in none, and are shown as `???`')
            [CompletionResult]::new('--geo', '--geo', [CompletionResultType]::ParameterName, 'Database of AS numbers or countries (MMDB) [default: those that `waddleperf geoip list` names]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Columns of the report, by mtr''s letters: L loss, D dropped, R received, S sent, N newest, B best, A average, W worst, V deviation, G geometric mean, J jitter, M its mean, X its worst, I interarrival jitter')
            [CompletionResult]::new('--order', '--order', [CompletionResultType]::ParameterName, 'Columns of the report, by mtr''s letters: L loss, D dropped, R received, S sent, N newest, B best, A average, W worst, V deviation, G geometric mean, J jitter, M its mean, X its worst, I interarrival jitter')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'The form of the report')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255')
            [CompletionResult]::new('--dscp', '--dscp', [CompletionResultType]::ParameterName, 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Send from this address of this host')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Send from this address of this host')
            [CompletionResult]::new('--address', '--address', [CompletionResultType]::ParameterName, 'Send from this address of this host')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label the record; once for each label')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--icmp', '--icmp', [CompletionResultType]::ParameterName, 'Probe with ICMP echo requests, which is the rule for one flow')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'Probe with UDP datagrams, which is the rule for several flows')
            [CompletionResult]::new('--udp', '--udp', [CompletionResultType]::ParameterName, 'Probe with UDP datagrams, which is the rule for several flows')
            [CompletionResult]::new('-T', '-T ', [CompletionResultType]::ParameterName, 'Probe with TCP SYNs; a port that answers is reset at once')
            [CompletionResult]::new('--tcp', '--tcp', [CompletionResultType]::ParameterName, 'Probe with TCP SYNs; a port that answers is reset at once')
            [CompletionResult]::new('--quic', '--quic', [CompletionResultType]::ParameterName, 'Probe with UDP datagrams of 1200 octets, as QUIC''s first, to port 443')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do not look up the names of addresses')
            [CompletionResult]::new('--no-dns', '--no-dns', [CompletionResultType]::ParameterName, 'Do not look up the names of addresses')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Print a report, which is the rule here (mtr''s letter)')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Print a report, which is the rule here (mtr''s letter)')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Cut no names in the report')
            [CompletionResult]::new('--report-wide', '--report-wide', [CompletionResultType]::ParameterName, 'Cut no names in the report')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'Show addresses beside names')
            [CompletionResult]::new('--show-ips', '--show-ips', [CompletionResultType]::ParameterName, 'Show addresses beside names')
            [CompletionResult]::new('-z', '-z', [CompletionResultType]::ParameterName, 'Show the number of each hop''s autonomous system, from a local database')
            [CompletionResult]::new('--aslookup', '--aslookup', [CompletionResultType]::ParameterName, 'Show the number of each hop''s autonomous system, from a local database')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Write MPLS labels with --mtr-raw too; tables show them without being asked')
            [CompletionResult]::new('--mpls', '--mpls', [CompletionResultType]::ParameterName, 'Write MPLS labels with --mtr-raw too; tables show them without being asked')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'As `--format mtr-json`')
            [CompletionResult]::new('--mtr-json', '--mtr-json', [CompletionResultType]::ParameterName, 'As `--format mtr-json`')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'As `--format mtr-csv`')
            [CompletionResult]::new('--mtr-csv', '--mtr-csv', [CompletionResultType]::ParameterName, 'As `--format mtr-csv`')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'As `--format mtr-raw`')
            [CompletionResult]::new('--mtr-raw', '--mtr-raw', [CompletionResultType]::ParameterName, 'As `--format mtr-raw`')
            [CompletionResult]::new('--raw', '--raw', [CompletionResultType]::ParameterName, 'As `--format mtr-raw`')
            [CompletionResult]::new('--dot', '--dot', [CompletionResultType]::ParameterName, 'As `--format dot`: the path, or with --mda every path, as a graph for Graphviz')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ecn', '--ecn', [CompletionResultType]::ParameterName, 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the record as one line of JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print the record as CSV: a header, then a row of base units, or one for each of ping''s targets')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Measure again and again, and draw it on a terminal, until told to stop')
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Keep the record in the store (the file''s store.save makes this the rule)')
            [CompletionResult]::new('--no-save', '--no-save', [CompletionResultType]::ParameterName, 'Keep nothing, whatever store.save says')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}

using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'mtu' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'mtu'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'mtu' {
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'UDP port of a waddleperf reflector and TCP port whose segment size is read [default: 2000, and 443 or 80]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'UDP port of a waddleperf reflector and TCP port whose segment size is read [default: 2000, and 443 or 80]')
            [CompletionResult]::new('-M', '-M ', [CompletionResultType]::ParameterName, 'What carries the packets')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'What carries the packets')
            [CompletionResult]::new('--min', '--min', [CompletionResultType]::ParameterName, 'The smallest size to try, octets of IP packet [default: 68]')
            [CompletionResult]::new('--max', '--max', [CompletionResultType]::ParameterName, 'The largest size to try, octets of IP packet [default: what the interface sends, at most 9216]')
            [CompletionResult]::new('-W', '-W ', [CompletionResultType]::ParameterName, 'How long to wait for the first answer; later ones are given three round trips')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to wait for the first answer; later ones are given three round trips')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'How long the whole run may take')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'How long the whole run may take')
            [CompletionResult]::new('--key-file', '--key-file', [CompletionResultType]::ParameterName, 'File with the key that the reflector shares (its octets, without white space at the ends)')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Send from this address of this host')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255')
            [CompletionResult]::new('--dscp', '--dscp', [CompletionResultType]::ParameterName, 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label the record; once for each label')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--hops', '--hops', [CompletionResultType]::ParameterName, 'Look at each hop of the way even if nothing is in the way')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Give addresses of hops, not names: no DNS server is asked for them')
            [CompletionResult]::new('--numeric', '--numeric', [CompletionResultType]::ParameterName, 'Give addresses of hops, not names: no DNS server is asked for them')
            [CompletionResult]::new('--no-tcp', '--no-tcp', [CompletionResultType]::ParameterName, 'Do not connect to a TCP port of the target')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ecn', '--ecn', [CompletionResultType]::ParameterName, 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the record as one line of JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print the record as CSV: a header, then a row of base units, or one for each of ping''s targets')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Measure again and again, and draw it on a terminal, until told to stop')
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Keep the record in the store (the file''s store.save makes this the rule)')
            [CompletionResult]::new('--no-save', '--no-save', [CompletionResultType]::ParameterName, 'Keep nothing, whatever store.save says')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}

using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'portscan' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'portscan'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'portscan' {
            [CompletionResult]::new('-L', '-L ', [CompletionResultType]::ParameterName, 'Scan what this file lists too, words with white space between, `-` is standard input: nmap''s -iL FILE')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Scan what this file lists too, words with white space between, `-` is standard input: nmap''s -iL FILE')
            [CompletionResult]::new('--input-list', '--input-list', [CompletionResultType]::ParameterName, 'Scan what this file lists too, words with white space between, `-` is standard input: nmap''s -iL FILE')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Leave these out, written as targets are; several between commas')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'How to ask, as nmap''s -sT, -sS, -sU, -sSU: `T` or connect (the default), `S` or syn (needs CAP_NET_RAW), `U` or udp')
            [CompletionResult]::new('--scan', '--scan', [CompletionResultType]::ParameterName, 'How to ask, as nmap''s -sT, -sS, -sU, -sSU: `T` or connect (the default), `S` or syn (needs CAP_NET_RAW), `U` or udp')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Ports: `22,80,1-1024`, `-` for all, names as `http*`; behind `T:` or `U:` of that protocol only')
            [CompletionResult]::new('--ports', '--ports', [CompletionResultType]::ParameterName, 'Ports: `22,80,1-1024`, `-` for all, names as `http*`; behind `T:` or `U:` of that protocol only')
            [CompletionResult]::new('--top-ports', '--top-ports', [CompletionResultType]::ParameterName, 'Only N ports: the 100 that are open most often, then those of known services, then by number; beyond 100 that is not nmap''s list [default: 1000]')
            [CompletionResult]::new('--top', '--top', [CompletionResultType]::ParameterName, 'Only N ports: the 100 that are open most often, then those of known services, then by number; beyond 100 that is not nmap''s list [default: 1000]')
            [CompletionResult]::new('-T', '-T ', [CompletionResultType]::ParameterName, 'How fast and how patient, as nmap''s -T: 0 (a question in 5 minutes) to 5 (in a hurry, on a good line)')
            [CompletionResult]::new('--timing', '--timing', [CompletionResultType]::ParameterName, 'How fast and how patient, as nmap''s -T: 0 (a question in 5 minutes) to 5 (in a hurry, on a good line)')
            [CompletionResult]::new('--min-rate', '--min-rate', [CompletionResultType]::ParameterName, 'Questions per second at least, whatever is lost; lifts the ceiling of 1000 as --max-rate does')
            [CompletionResult]::new('--max-rate', '--max-rate', [CompletionResultType]::ParameterName, 'Questions per second at most, of all hosts together [default: 1000 after the first 1000, but none for this host''s own addresses and none with -T4, -T5 and --min-rate]')
            [CompletionResult]::new('--rate', '--rate', [CompletionResultType]::ParameterName, 'Questions per second at most, of all hosts together [default: 1000 after the first 1000, but none for this host''s own addresses and none with -T4, -T5 and --min-rate]')
            [CompletionResult]::new('--max-retries', '--max-retries', [CompletionResultType]::ParameterName, 'How often a silent port is asked again at most [default: 10, and more where answers are rationed]')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'End after this time, whatever is known then')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'End after this time, whatever is known then')
            [CompletionResult]::new('--host-timeout', '--host-timeout', [CompletionResultType]::ParameterName, 'End after this time, whatever is known then')
            [CompletionResult]::new('-P', '-P ', [CompletionResultType]::ParameterName, 'As nmap''s -Pn, and always so: no host is asked first whether it is there')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Send from this address of this host')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255')
            [CompletionResult]::new('--dscp', '--dscp', [CompletionResultType]::ParameterName, 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label the record; once for each label')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('-F', '-F ', [CompletionResultType]::ParameterName, 'Only the 100 ports that are open most often')
            [CompletionResult]::new('--fast', '--fast', [CompletionResultType]::ParameterName, 'Only the 100 ports that are open most often')
            [CompletionResult]::new('--banner', '--banner', [CompletionResultType]::ParameterName, 'Read what open TCP ports say, and how they speak TLS')
            [CompletionResult]::new('--open', '--open', [CompletionResultType]::ParameterName, 'Show open ports only')
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Show why a port is said to be what it is, and who says so')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'List every port, however many there are of a kind')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Yes, scan more than one host')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'As nmap''s -n, and always so: no address is resolved to a name')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'The first letter of nmap''s -iL')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ecn', '--ecn', [CompletionResultType]::ParameterName, 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the record as one line of JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print the record as CSV: a header, then a row of base units, or one for each of ping''s targets')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Measure again and again, and draw it on a terminal, until told to stop')
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Keep the record in the store (the file''s store.save makes this the rule)')
            [CompletionResult]::new('--no-save', '--no-save', [CompletionResultType]::ParameterName, 'Keep nothing, whatever store.save says')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}

using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'resolvertime' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'resolvertime'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'resolvertime' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The name to look up [default: the root]')
            [CompletionResult]::new('--domain', '--domain', [CompletionResultType]::ParameterName, 'The name to look up [default: the root]')
            [CompletionResult]::new('-x', '-x', [CompletionResultType]::ParameterName, 'Look up the name of this address, as dig''s -x')
            [CompletionResult]::new('--reverse', '--reverse', [CompletionResultType]::ParameterName, 'Look up the name of this address, as dig''s -x')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'The type of records to ask for: a mnemonic or TYPE123 [default: A; of the root NS]')
            [CompletionResult]::new('--type', '--type', [CompletionResultType]::ParameterName, 'The type of records to ask for: a mnemonic or TYPE123 [default: A; of the root NS]')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Ask this server: an address or a name, with :PORT if need be, or a URL (udp:, tcp:, tls:, https:, quic:; #NAME behind it is the name in its certificate); once for each [default: those of resolv.conf(5), and this host''s own way]')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Ask this server: an address or a name, with :PORT if need be, or a URL (udp:, tcp:, tls:, https:, quic:; #NAME behind it is the name in its certificate); once for each [default: those of resolv.conf(5), and this host''s own way]')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The servers'' port [default: 53; tls and quic: 853; https: 443]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The servers'' port [default: 53; tls and quic: 853; https: 443]')
            [CompletionResult]::new('--transport', '--transport', [CompletionResultType]::ParameterName, 'How queries travel, where the server is no URL')
            [CompletionResult]::new('--path', '--path', [CompletionResultType]::ParameterName, 'The path of the service, over HTTPS')
            [CompletionResult]::new('--tls-name', '--tls-name', [CompletionResultType]::ParameterName, 'The name that the server''s certificate must have [default: that of the server, or its address]')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Believe the certificate authorities in this file (PEM), and none else')
            [CompletionResult]::new('--cacert', '--cacert', [CompletionResultType]::ParameterName, 'Believe the certificate authorities in this file (PEM), and none else')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Ask each server this often [default: 10; with +short 1]')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Ask each server this often [default: 10; with +short 1]')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Time between two queries to one server; servers take turns within it')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Time between two queries to one server; servers take turns within it')
            [CompletionResult]::new('-W', '-W ', [CompletionResultType]::ParameterName, 'How long to wait for each answer')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to wait for each answer')
            [CompletionResult]::new('--tries', '--tries', [CompletionResultType]::ParameterName, 'How often a query without an answer is sent, each time with a new identifier; each counts as one')
            [CompletionResult]::new('--bufsize', '--bufsize', [CompletionResultType]::ParameterName, 'Octets of an answer over UDP that are accepted (EDNS)')
            [CompletionResult]::new('--hints', '--hints', [CompletionResultType]::ParameterName, 'Begin a trace at the servers of this file: addresses, or the form of named.root [default: the root servers of 2025]')
            [CompletionResult]::new('--absent-zone', '--absent-zone', [CompletionResultType]::ParameterName, 'The zone of the name that cannot be')
            [CompletionResult]::new('--cold-zone', '--cold-zone', [CompletionResultType]::ParameterName, 'A zone that has every name (a wildcard): a random one of it cannot be in a cache, and its time is the cold one')
            [CompletionResult]::new('--load', '--load', [CompletionResultType]::ParameterName, 'Send the questions of this file to the server, over udp, tcp or dot: a name and a type on each line, as dnsperf''s')
            [CompletionResult]::new('--qps', '--qps', [CompletionResultType]::ParameterName, 'With --load: queries per second; above 1,000 those of a millisecond go together [default: as many as are answered]')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'With --load: for so long [default: 10s; with -c that often through the file]')
            [CompletionResult]::new('--duration', '--duration', [CompletionResultType]::ParameterName, 'With --load: for so long [default: 10s; with -c that often through the file]')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'With --load: for so long [default: 10s; with -c that often through the file]')
            [CompletionResult]::new('--outstanding', '--outstanding', [CompletionResultType]::ParameterName, 'With --load: queries that wait for their answers at once, at most')
            [CompletionResult]::new('--clients', '--clients', [CompletionResultType]::ParameterName, 'With --load: sockets, each with a port of its own; over TCP and TLS connections')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Send from this address of this host')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255')
            [CompletionResult]::new('--dscp', '--dscp', [CompletionResultType]::ParameterName, 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label the record; once for each label')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--system', '--system', [CompletionResultType]::ParameterName, 'Ask the system''s too, besides those that are named: each of resolv.conf(5), and getaddrinfo(3)')
            [CompletionResult]::new('--get', '--get', [CompletionResultType]::ParameterName, 'Ask by GET, over HTTPS (RFC 8484 §4.1)')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Go on whoever the server is; what is wrong with its certificate is said')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Go on whoever the server is; what is wrong with its certificate is said')
            [CompletionResult]::new('--fresh', '--fresh', [CompletionResultType]::ParameterName, 'Make a new connection for each query, where one would be used again')
            [CompletionResult]::new('--dnssec', '--dnssec', [CompletionResultType]::ParameterName, 'Ask for signatures, and find out whether the server validates: secure, insecure, bogus, unsupported')
            [CompletionResult]::new('--unchecked', '--unchecked', [CompletionResultType]::ParameterName, 'Ask for what does not validate, too (CD)')
            [CompletionResult]::new('--no-recurse', '--no-recurse', [CompletionResultType]::ParameterName, 'Do not ask for recursion (RD)')
            [CompletionResult]::new('--no-edns', '--no-edns', [CompletionResultType]::ParameterName, 'Do without EDNS')
            [CompletionResult]::new('--no-cookie', '--no-cookie', [CompletionResultType]::ParameterName, 'Send no cookies, which prove that an answer is the server''s own (RFC 7873)')
            [CompletionResult]::new('--ignore-truncation', '--ignore-truncation', [CompletionResultType]::ParameterName, 'Leave a truncated answer as it is, where it would be asked for again over TCP')
            [CompletionResult]::new('--no-case', '--no-case', [CompletionResultType]::ParameterName, 'Leave the letters of the name as they are: by default their case is mixed, so that no guessed answer passes')
            [CompletionResult]::new('--short', '--short', [CompletionResultType]::ParameterName, 'Print the answers alone, as dig''s +short')
            [CompletionResult]::new('--trace', '--trace', [CompletionResultType]::ParameterName, 'Go from the root servers down, one server of each zone after the other')
            [CompletionResult]::new('--check', '--check', [CompletionResultType]::ParameterName, 'Ask for a name that cannot be, and find out what the server makes of it: an address is a hijack')
            [CompletionResult]::new('--sizes', '--sizes', [CompletionResultType]::ParameterName, 'Find out which sizes get through over UDP: padded queries on the way there, long answers on the way back')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ecn', '--ecn', [CompletionResultType]::ParameterName, 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the record as one line of JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print the record as CSV: a header, then a row of base units, or one for each of ping''s targets')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Measure again and again, and draw it on a terminal, until told to stop')
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Keep the record in the store (the file''s store.save makes this the rule)')
            [CompletionResult]::new('--no-save', '--no-save', [CompletionResultType]::ParameterName, 'Keep nothing, whatever store.save says')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}

using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'httptrace' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'httptrace'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'httptrace' {
            [CompletionResult]::new('-X', '-X ', [CompletionResultType]::ParameterName, 'Method of the request [default: GET, with -d POST, with -I HEAD]')
            [CompletionResult]::new('--request', '--request', [CompletionResultType]::ParameterName, 'Method of the request [default: GET, with -d POST, with -I HEAD]')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'A header of the request, `Name: value`; `Name:` leaves one out; `@FILE` has one on each line. What tells who asks (Authorization, Cookie, …) is better kept in a file: arguments can be read by everybody on this host')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'A header of the request, `Name: value`; `Name:` leaves one out; `@FILE` has one on each line. What tells who asks (Authorization, Cookie, …) is better kept in a file: arguments can be read by everybody on this host')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Send this as a form, several joined by `&`; `@FILE` sends what is in it, without line ends; `@-` is standard input. curl''s long name for it, --data, means this program''s own data here')
            [CompletionResult]::new('--body', '--body', [CompletionResultType]::ParameterName, 'Send this as a form, several joined by `&`; `@FILE` sends what is in it, without line ends; `@-` is standard input. curl''s long name for it, --data, means this program''s own data here')
            [CompletionResult]::new('--body-binary', '--body-binary', [CompletionResultType]::ParameterName, 'Send this as it is; `@FILE` sends what is in it')
            [CompletionResult]::new('--data-binary', '--data-binary', [CompletionResultType]::ParameterName, 'Send this as it is; `@FILE` sends what is in it')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'curl''s -u, which is refused: everybody on this host could read it')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'curl''s -u, which is refused: everybody on this host could read it')
            [CompletionResult]::new('--user-file', '--user-file', [CompletionResultType]::ParameterName, 'Send the `user:password` in this file''s first line (Basic, RFC 7617)')
            [CompletionResult]::new('-A', '-A ', [CompletionResultType]::ParameterName, 'What the request says that it comes from [default: waddleperf and its version]')
            [CompletionResult]::new('--user-agent', '--user-agent', [CompletionResultType]::ParameterName, 'What the request says that it comes from [default: waddleperf and its version]')
            [CompletionResult]::new('--max-redirs', '--max-redirs', [CompletionResultType]::ParameterName, 'Redirects that are followed at most')
            [CompletionResult]::new('--cacert', '--cacert', [CompletionResultType]::ParameterName, 'Believe the authorities in this file (PEM) alone')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Believe the authorities in this file (PEM) alone')
            [CompletionResult]::new('--resolve', '--resolve', [CompletionResultType]::ParameterName, 'Use these addresses for a host and port, HOST:PORT:ADDRESS, or more addresses behind commas; `*` is any host')
            [CompletionResult]::new('--connect-to', '--connect-to', [CompletionResultType]::ParameterName, 'Connect to another host and port, HOST1:PORT1:HOST2:PORT2; an empty one is any, or the same')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'End each repeat after this time, redirects included')
            [CompletionResult]::new('--max-time', '--max-time', [CompletionResultType]::ParameterName, 'End each repeat after this time, redirects included')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'End each look-up, connection and TLS handshake, together, after this time')
            [CompletionResult]::new('--max-bytes', '--max-bytes', [CompletionResultType]::ParameterName, 'Octets of a body that are accepted, also decoded [default: 10485760; with -o no limit]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the body into this file; `-` is standard output')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write the body into this file; `-` is standard output')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Ask this often')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Ask this often')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Time between the end of a repeat and the next')
            [CompletionResult]::new('--expect', '--expect', [CompletionResultType]::ParameterName, 'What the answer must be, else the exit code is 1: status=200 (or 2xx), header:NAME=VALUE, body~EXPRESSION, json:/POINTER=VALUE; once for each')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Print this instead, with curl''s variables such as %{time_total}; `@FILE` has it. Of several repeats the last is told')
            [CompletionResult]::new('--write-out', '--write-out', [CompletionResultType]::ParameterName, 'Print this instead, with curl''s variables such as %{time_total}; `@FILE` has it. Of several repeats the last is told')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How text looks')
            [CompletionResult]::new('--har', '--har', [CompletionResultType]::ParameterName, 'Write the requests and answers, the first 1000 at most, into this file, as HAR 1.2')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Send from this address of this host')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255')
            [CompletionResult]::new('--dscp', '--dscp', [CompletionResultType]::ParameterName, 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label the record; once for each label')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'Ask for the head alone')
            [CompletionResult]::new('--head', '--head', [CompletionResultType]::ParameterName, 'Ask for the head alone')
            [CompletionResult]::new('--compressed', '--compressed', [CompletionResultType]::ParameterName, 'Ask for a compressed body (zstd, br, gzip, deflate), decode it, and count it before and after')
            [CompletionResult]::new('-L', '-L ', [CompletionResultType]::ParameterName, 'Follow redirects: this is always so unless --no-location is given')
            [CompletionResult]::new('--location', '--location', [CompletionResultType]::ParameterName, 'Follow redirects: this is always so unless --no-location is given')
            [CompletionResult]::new('--no-location', '--no-location', [CompletionResultType]::ParameterName, 'Do not follow redirects')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Accept whatever certificate is shown. The report says so, and what is wrong with it')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Accept whatever certificate is shown. The report says so, and what is wrong with it')
            [CompletionResult]::new('--http1.1', '--http1.1', [CompletionResultType]::ParameterName, 'Speak HTTP/1.1 only')
            [CompletionResult]::new('--http2', '--http2', [CompletionResultType]::ParameterName, 'Speak HTTP/2 where the server offers it (ALPN): the default')
            [CompletionResult]::new('--http2-prior-knowledge', '--http2-prior-knowledge', [CompletionResultType]::ParameterName, 'Speak HTTP/2, also without TLS')
            [CompletionResult]::new('--http3', '--http3', [CompletionResultType]::ParameterName, 'Try HTTP/3 beside the others, and use whichever connection stands first')
            [CompletionResult]::new('--http3-only', '--http3-only', [CompletionResultType]::ParameterName, 'Speak HTTP/3 only')
            [CompletionResult]::new('--keepalive', '--keepalive', [CompletionResultType]::ParameterName, 'Ask each time over the same connection (warm), instead of over a new one (cold)')
            [CompletionResult]::new('--resume', '--resume', [CompletionResultType]::ParameterName, 'Let new connections resume the TLS sessions of earlier legs and repeats (tickets, RFC 8446 §2.2); otherwise each handshake is a whole one. No early data is sent')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'End with 1 when the status is 400 or above')
            [CompletionResult]::new('--fail', '--fail', [CompletionResultType]::ParameterName, 'End with 1 when the status is 400 or above')
            [CompletionResult]::new('--show-secrets', '--show-secrets', [CompletionResultType]::ParameterName, 'Show what tells who asks (Authorization, Cookie, …) in report and HAR, instead of masking it')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'curl''s -s, and always so')
            [CompletionResult]::new('--silent', '--silent', [CompletionResultType]::ParameterName, 'curl''s -s, and always so')
            [CompletionResult]::new('-S', '-S ', [CompletionResultType]::ParameterName, 'curl''s -S, and always so')
            [CompletionResult]::new('--show-error', '--show-error', [CompletionResultType]::ParameterName, 'curl''s -S, and always so')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ecn', '--ecn', [CompletionResultType]::ParameterName, 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the record as one line of JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print the record as CSV: a header, then a row of base units, or one for each of ping''s targets')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Measure again and again, and draw it on a terminal, until told to stop')
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Keep the record in the store (the file''s store.save makes this the rule)')
            [CompletionResult]::new('--no-save', '--no-save', [CompletionResultType]::ParameterName, 'Keep nothing, whatever store.save says')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}

using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'tls' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'tls'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'tls' {
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The port [default: 443, or that of what --starttls names]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The port [default: 443, or that of what --starttls names]')
            [CompletionResult]::new('--servername', '--servername', [CompletionResultType]::ParameterName, 'Ask for this name (SNI) and expect its certificate [default: the target]')
            [CompletionResult]::new('--starttls', '--starttls', [CompletionResultType]::ParameterName, 'Speak this first, and then change to TLS')
            [CompletionResult]::new('--alpn', '--alpn', [CompletionResultType]::ParameterName, 'Offer these application protocols, separated by commas [default: h2,http/1.1; none with --starttls]')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Believe the authorities in this file (PEM), and no others [default: this host''s]')
            [CompletionResult]::new('--cacert', '--cacert', [CompletionResultType]::ParameterName, 'Believe the authorities in this file (PEM), and no others [default: this host''s]')
            [CompletionResult]::new('--rate', '--rate', [CompletionResultType]::ParameterName, 'Connections per second of a scan at most [default: as fast as it answers four at the same time]')
            [CompletionResult]::new('--expiry-warn', '--expiry-warn', [CompletionResultType]::ParameterName, 'Warn of certificates that expire within this time')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long each step of a connection may take: connecting, STARTTLS, the handshake')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'End after this time, whatever is known then')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'End after this time, whatever is known then')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Send from this address of this host')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255')
            [CompletionResult]::new('--dscp', '--dscp', [CompletionResultType]::ParameterName, 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label the record; once for each label')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--scan', '--scan', [CompletionResultType]::ParameterName, 'Ask for everything that it offers: versions, suites, groups, signatures, and what is weak about them')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ecn', '--ecn', [CompletionResultType]::ParameterName, 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the record as one line of JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print the record as CSV: a header, then a row of base units, or one for each of ping''s targets')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Measure again and again, and draw it on a terminal, until told to stop')
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Keep the record in the store (the file''s store.save makes this the rule)')
            [CompletionResult]::new('--no-save', '--no-save', [CompletionResultType]::ParameterName, 'Keep nothing, whatever store.save says')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}

using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'sshping' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'sshping'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'sshping' {
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The server''s port [default: 22, or what ~/.ssh/config says]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The server''s port [default: 22, or what ~/.ssh/config says]')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Log in as this user [default: what ~/.ssh/config says, or you]')
            [CompletionResult]::new('--login', '--login', [CompletionResultType]::ParameterName, 'Log in as this user [default: what ~/.ssh/config says, or you]')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Log in with this private key; may be given several times [default: the agent''s, then ~/.ssh/id_ed25519, id_ecdsa, id_rsa]')
            [CompletionResult]::new('--identity', '--identity', [CompletionResultType]::ParameterName, 'Log in with this private key; may be given several times [default: the agent''s, then ~/.ssh/id_ed25519, id_ecdsa, id_rsa]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'What unlocks the private key is the content of this file, which only you can read')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'The password is the content of this file, which only you can read; or of the variable WADDLEPERF_SSH_PASSWORD')
            [CompletionResult]::new('--host-key', '--host-key', [CompletionResultType]::ParameterName, 'The server''s key has this fingerprint (SHA256:…, as `ssh-keygen -lf` shows it); no file is asked')
            [CompletionResult]::new('--known-hosts', '--known-hosts', [CompletionResultType]::ParameterName, 'The file of known hosts [default: ~/.ssh/known_hosts, and /etc/ssh/ssh_known_hosts]')
            [CompletionResult]::new('-F', '-F ', [CompletionResultType]::ParameterName, 'Read this instead of ~/.ssh/config; `none` reads none')
            [CompletionResult]::new('--ssh-config', '--ssh-config', [CompletionResultType]::ParameterName, 'Read this instead of ~/.ssh/config; `none` reads none')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Characters to send, one after the other has come back')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Characters to send, one after the other has come back')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Send no more of them after this time')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'Send no more of them after this time')
            [CompletionResult]::new('--echotime', '--echotime', [CompletionResultType]::ParameterName, 'Send no more of them after this time')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'The far side''s program that sends back what it gets')
            [CompletionResult]::new('--echo-command', '--echo-command', [CompletionResultType]::ParameterName, 'The far side''s program that sends back what it gets')
            [CompletionResult]::new('--echocmd', '--echocmd', [CompletionResultType]::ParameterName, 'The far side''s program that sends back what it gets')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'MB to send and to fetch')
            [CompletionResult]::new('--size', '--size', [CompletionResultType]::ParameterName, 'MB to send and to fetch')
            [CompletionResult]::new('--speedsize', '--speedsize', [CompletionResultType]::ParameterName, 'MB to send and to fetch')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Only one of the two: e measures echoes, s speed [default: both]')
            [CompletionResult]::new('--runtests', '--runtests', [CompletionResultType]::ParameterName, 'Only one of the two: e measures echoes, s speed [default: both]')
            [CompletionResult]::new('-T', '-T ', [CompletionResultType]::ParameterName, 'A connection stands within this time')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'A connection stands within this time')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'End after this time, whatever is known then')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'End after this time, whatever is known then')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Send from this address of this host')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255')
            [CompletionResult]::new('--dscp', '--dscp', [CompletionResultType]::ParameterName, 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label the record; once for each label')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--no-agent', '--no-agent', [CompletionResultType]::ParameterName, 'Do not ask the agent for keys')
            [CompletionResult]::new('--no-auth', '--no-auth', [CompletionResultType]::ParameterName, 'Do not log in: only connect and exchange keys, to see that the server is well. The server''s key is not judged then')
            [CompletionResult]::new('--accept-new', '--accept-new', [CompletionResultType]::ParameterName, 'Believe a server that nothing is known of, and write its key into the file of known hosts. A changed key never passes')
            [CompletionResult]::new('--tty', '--tty', [CompletionResultType]::ParameterName, 'Let a terminal echo, below a shell, as when a person types')
            [CompletionResult]::new('--sftp', '--sftp', [CompletionResultType]::ParameterName, 'Send and fetch a file below /tmp by SFTP, instead of zeros through programs. It is removed afterwards')
            [CompletionResult]::new('-P', '-P ', [CompletionResultType]::ParameterName, 'End with a line as ping''s: rtt min/avg/max/mdev')
            [CompletionResult]::new('--pingsummary', '--pingsummary', [CompletionResultType]::ParameterName, 'End with a line as ping''s: rtt min/avg/max/mdev')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ecn', '--ecn', [CompletionResultType]::ParameterName, 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the record as one line of JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print the record as CSV: a header, then a row of base units, or one for each of ping''s targets')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Measure again and again, and draw it on a terminal, until told to stop')
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Keep the record in the store (the file''s store.save makes this the rule)')
            [CompletionResult]::new('--no-save', '--no-save', [CompletionResultType]::ParameterName, 'Keep nothing, whatever store.save says')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}

using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'bandwidth' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'bandwidth'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'bandwidth' {
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'The same, as iperf3''s users write it')
            [CompletionResult]::new('--client', '--client', [CompletionResultType]::ParameterName, 'The same, as iperf3''s users write it')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The server''s port')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The server''s port')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Transmit for this time; 0 until interrupted')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'Transmit for this time; 0 until interrupted')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Transmit so many octets (10M are 10 x 2^20), all streams together, instead of for a time')
            [CompletionResult]::new('--bytes', '--bytes', [CompletionResultType]::ParameterName, 'Transmit so many octets (10M are 10 x 2^20), all streams together, instead of for a time')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Transmit so many blocks or datagrams, all streams together, instead of for a time')
            [CompletionResult]::new('--blockcount', '--blockcount', [CompletionResultType]::ParameterName, 'Transmit so many blocks or datagrams, all streams together, instead of for a time')
            [CompletionResult]::new('-O', '-O ', [CompletionResultType]::ParameterName, 'Transmit for this time first, which does not count: TCP''s slow start')
            [CompletionResult]::new('--omit', '--omit', [CompletionResultType]::ParameterName, 'Transmit for this time first, which does not count: TCP''s slow start')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'A line after each interval, 0.1 to 60 s; 0 is none')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'A line after each interval, 0.1 to 60 s; 0 is none')
            [CompletionResult]::new('-P', '-P ', [CompletionResultType]::ParameterName, 'So many streams at once, in each direction')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'So many streams at once, in each direction')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'Bits per second of each stream and direction (20M are 20 x 10^6), 0 for as fast as can be; /N lets N packets leave back to back [default: 1M over UDP, 0 over TCP]')
            [CompletionResult]::new('--bitrate', '--bitrate', [CompletionResultType]::ParameterName, 'Bits per second of each stream and direction (20M are 20 x 10^6), 0 for as fast as can be; /N lets N packets leave back to back [default: 1M over UDP, 0 over TCP]')
            [CompletionResult]::new('--bandwidth', '--bandwidth', [CompletionResultType]::ParameterName, 'Bits per second of each stream and direction (20M are 20 x 10^6), 0 for as fast as can be; /N lets N packets leave back to back [default: 1M over UDP, 0 over TCP]')
            [CompletionResult]::new('--fq-rate', '--fq-rate', [CompletionResultType]::ParameterName, 'Bits per second of each stream and direction that the kernel keeps to (SO_MAX_PACING_RATE; over UDP where the interface''s queue is fq)')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Octets of each write or datagram [default: 128K over TCP; over UDP what the path takes in one packet]')
            [CompletionResult]::new('--length', '--length', [CompletionResultType]::ParameterName, 'Octets of each write or datagram [default: 128K over TCP; over UDP what the path takes in one packet]')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Socket buffers of both ends, which bound the window')
            [CompletionResult]::new('--window', '--window', [CompletionResultType]::ParameterName, 'Socket buffers of both ends, which bound the window')
            [CompletionResult]::new('-M', '-M ', [CompletionResultType]::ParameterName, 'Largest TCP segment (MSS), octets')
            [CompletionResult]::new('--set-mss', '--set-mss', [CompletionResultType]::ParameterName, 'Largest TCP segment (MSS), octets')
            [CompletionResult]::new('-S', '-S ', [CompletionResultType]::ParameterName, 'Type of service of what both ends send, 0-255; 0x and 0 in front as in C')
            [CompletionResult]::new('--tos', '--tos', [CompletionResultType]::ParameterName, 'Type of service of what both ends send, 0-255; 0x and 0 in front as in C')
            [CompletionResult]::new('-L', '-L ', [CompletionResultType]::ParameterName, 'IPv6''s flow label (RFC 6437) of what both ends send, 1-1048575; 0x in front as in C')
            [CompletionResult]::new('--flowlabel', '--flowlabel', [CompletionResultType]::ParameterName, 'IPv6''s flow label (RFC 6437) of what both ends send, 1-1048575; 0x in front as in C')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'TCP congestion control of both ends, such as cubic, reno or bbr')
            [CompletionResult]::new('--congestion', '--congestion', [CompletionResultType]::ParameterName, 'TCP congestion control of both ends, such as cubic, reno or bbr')
            [CompletionResult]::new('-B', '-B ', [CompletionResultType]::ParameterName, 'Bind to this address of this host, and %DEVICE')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'Bind to this address of this host, and %DEVICE')
            [CompletionResult]::new('--cport', '--cport', [CompletionResultType]::ParameterName, 'Data leave from this port, and from those after it')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'The control connection stands within this time (a bare number is ms)')
            [CompletionResult]::new('--rcv-timeout', '--rcv-timeout', [CompletionResultType]::ParameterName, 'Give up when nothing was received for this time (a bare number is ms)')
            [CompletionResult]::new('--snd-timeout', '--snd-timeout', [CompletionResultType]::ParameterName, 'Give a connection up when what was sent had no answer for this time (a bare number is ms) [default: the system''s]')
            [CompletionResult]::new('--cntl-ka', '--cntl-ka', [CompletionResultType]::ParameterName, 'When the control connection, quiet while the test runs, is asked whether it lives: seconds of silence, seconds between questions, questions')
            [CompletionResult]::new('-A', '-A ', [CompletionResultType]::ParameterName, 'Run on this processor, and after a comma the one that the server is asked to run on')
            [CompletionResult]::new('--affinity', '--affinity', [CompletionResultType]::ParameterName, 'Run on this processor, and after a comma the one that the server is asked to run on')
            [CompletionResult]::new('--loss', '--loss', [CompletionResultType]::ParameterName, 'The share of datagrams that --find-max allows to be lost')
            [CompletionResult]::new('--trial', '--trial', [CompletionResultType]::ParameterName, 'How long each test of --find-max sends; the last one, of the rate that is found, sends for --time')
            [CompletionResult]::new('--retry-busy', '--retry-busy', [CompletionResultType]::ParameterName, 'Ask a server that is busy again, after 1, 2, 4 … seconds, for so long')
            [CompletionResult]::new('--latency', '--latency', [CompletionResultType]::ParameterName, 'Measure round trips before the bulk and while it runs: what queues on the way add to them (bufferbloat)')
            [CompletionResult]::new('--latency-port', '--latency-port', [CompletionResultType]::ParameterName, 'The port that --latency=tcp knocks at, open or closed: not the test''s own, where stock servers take every connection for a client')
            [CompletionResult]::new('-T', '-T ', [CompletionResultType]::ParameterName, 'A title, for the record and the server''s')
            [CompletionResult]::new('--title', '--title', [CompletionResultType]::ParameterName, 'A title, for the record and the server''s')
            [CompletionResult]::new('--extra-data', '--extra-data', [CompletionResultType]::ParameterName, 'A text for the server''s record')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Unit of the rates that are printed: k, m, g or t for bits by powers of 1000, K, M, G or T for octets by powers of 1024')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Unit of the rates that are printed: k, m, g or t for bits by powers of 1000, K, M, G or T for octets by powers of 1024')
            [CompletionResult]::new('--style', '--style', [CompletionResultType]::ParameterName, 'Whose words name the units of what is printed')
            [CompletionResult]::new('--timestamp-format', '--timestamp-format', [CompletionResultType]::ParameterName, 'Begin each line with its time, as strftime(3) writes it (`%H:%M:%S`)')
            [CompletionResult]::new('--logfile', '--logfile', [CompletionResultType]::ParameterName, 'Write what is printed into this file instead, at its end')
            [CompletionResult]::new('--username', '--username', [CompletionResultType]::ParameterName, 'Log in by this name; the password is that of --password-file, or of the variable IPERF3_PASSWORD')
            [CompletionResult]::new('--rsa-public-key-path', '--rsa-public-key-path', [CompletionResultType]::ParameterName, 'The server''s public RSA key (PEM), which the login is encrypted for')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'The password is the content of this file, which only you can read')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Send from this address of this host')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Send through this network interface, or from this address of this host')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255')
            [CompletionResult]::new('--dscp', '--dscp', [CompletionResultType]::ParameterName, 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label the record; once for each label')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'UDP instead of TCP')
            [CompletionResult]::new('--udp', '--udp', [CompletionResultType]::ParameterName, 'UDP instead of TCP')
            [CompletionResult]::new('-R', '-R ', [CompletionResultType]::ParameterName, 'The server sends, this host receives')
            [CompletionResult]::new('--reverse', '--reverse', [CompletionResultType]::ParameterName, 'The server sends, this host receives')
            [CompletionResult]::new('--bidir', '--bidir', [CompletionResultType]::ParameterName, 'Both send at once')
            [CompletionResult]::new('-N', '-N ', [CompletionResultType]::ParameterName, 'Do not hold back small writes (Nagle''s algorithm off)')
            [CompletionResult]::new('--no-delay', '--no-delay', [CompletionResultType]::ParameterName, 'Do not hold back small writes (Nagle''s algorithm off)')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'Connections over several paths at once (Multipath TCP, RFC 8684), where the server and the system have it; else over one. Of several, what only the kernel knows (retransmits, RTT, cwnd) is not known')
            [CompletionResult]::new('--mptcp', '--mptcp', [CompletionResultType]::ParameterName, 'Connections over several paths at once (Multipath TCP, RFC 8684), where the server and the system have it; else over one. Of several, what only the kernel knows (retransmits, RTT, cwnd) is not known')
            [CompletionResult]::new('-Z', '-Z ', [CompletionResultType]::ParameterName, 'Ask a server other than waddleperf''s, too, to send without copying')
            [CompletionResult]::new('--zerocopy', '--zerocopy', [CompletionResultType]::ParameterName, 'Ask a server other than waddleperf''s, too, to send without copying')
            [CompletionResult]::new('--repeating-payload', '--repeating-payload', [CompletionResultType]::ParameterName, 'The payload is a pattern, which a compressing link makes less of; else random')
            [CompletionResult]::new('--dont-fragment', '--dont-fragment', [CompletionResultType]::ParameterName, 'Over IPv4 datagrams must not be fragmented (DF)')
            [CompletionResult]::new('--rx-copy', '--rx-copy', [CompletionResultType]::ParameterName, 'Copy what is received, as an application would, instead of having the kernel throw it away')
            [CompletionResult]::new('--tx-copy', '--tx-copy', [CompletionResultType]::ParameterName, 'Copy what is sent, as most applications do, instead of lending the kernel the payload''s own pages')
            [CompletionResult]::new('--gso', '--gso', [CompletionResultType]::ParameterName, 'Let the kernel cut and join datagrams of UDP (GSO, GRO): many more of them, in bursts')
            [CompletionResult]::new('--gsro', '--gsro', [CompletionResultType]::ParameterName, 'Let the kernel cut and join datagrams of UDP (GSO, GRO): many more of them, in bursts')
            [CompletionResult]::new('--find-max', '--find-max', [CompletionResultType]::ParameterName, 'Find the highest rate over UDP of which no more is lost than --loss, by short tests of ever other rates, up to that of -b')
            [CompletionResult]::new('--get-server-output', '--get-server-output', [CompletionResultType]::ParameterName, 'Also show what the server says of the test')
            [CompletionResult]::new('--forceflush', '--forceflush', [CompletionResultType]::ParameterName, 'Flush each line; they always are')
            [CompletionResult]::new('-J', '-J ', [CompletionResultType]::ParameterName, 'Print what `iperf3 -J` would, and nothing else')
            [CompletionResult]::new('--iperf3-json', '--iperf3-json', [CompletionResultType]::ParameterName, 'Print what `iperf3 -J` would, and nothing else')
            [CompletionResult]::new('--json-stream', '--json-stream', [CompletionResultType]::ParameterName, 'Print a line of JSON when it begins, after each interval and at its end, as `iperf3 --json-stream` does')
            [CompletionResult]::new('--udp-counters-64bit', '--udp-counters-64bit', [CompletionResultType]::ParameterName, 'Sequence numbers have 64 bits; they always have')
            [CompletionResult]::new('--use-pkcs1-padding', '--use-pkcs1-padding', [CompletionResultType]::ParameterName, 'Encrypt it as iperf3 up to 3.16 does (PKCS#1 v1.5 instead of OAEP), which servers from 3.17 on refuse unless they are told')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ecn', '--ecn', [CompletionResultType]::ParameterName, 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the record as one line of JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print the record as CSV: a header, then a row of base units, or one for each of ping''s targets')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Measure again and again, and draw it on a terminal, until told to stop')
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Keep the record in the store (the file''s store.save makes this the rule)')
            [CompletionResult]::new('--no-save', '--no-save', [CompletionResultType]::ParameterName, 'Keep nothing, whatever store.save says')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}

using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'capture' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'capture'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'capture' {
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Capture on this interface, or on `any` [default: the one that leads to TARGET, else any]')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Capture on this interface, or on `any` [default: the one that leads to TARGET, else any]')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Keep only what this accepts, by pcap-filter(7) without arithmetic: `tcp port 80 and not net 10`')
            [CompletionResult]::new('--filter', '--filter', [CompletionResultType]::ParameterName, 'Keep only what this accepts, by pcap-filter(7) without arithmetic: `tcp port 80 and not net 10`')
            [CompletionResult]::new('--bpf', '--bpf', [CompletionResultType]::ParameterName, 'Keep only what this compiled filter accepts: what `tcpdump -ddd` prints, with commas for its line ends')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Stop after this many packets')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Stop after this many packets')
            [CompletionResult]::new('--duration', '--duration', [CompletionResultType]::ParameterName, 'Stop after this time')
            [CompletionResult]::new('--size', '--size', [CompletionResultType]::ParameterName, 'Stop before the file, or all files together, have more than this many MiB; a ring by -C and -W bounds itself')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Octets that are kept of each packet; 128 hold its headers, 0 is all')
            [CompletionResult]::new('--snaplen', '--snaplen', [CompletionResultType]::ParameterName, 'Octets that are kept of each packet; 128 hold its headers, 0 is all')
            [CompletionResult]::new('--snapshot-length', '--snapshot-length', [CompletionResultType]::ParameterName, 'Octets that are kept of each packet; 128 hold its headers, 0 is all')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Write the packets to this file (pcapng, readable by its owner only); `-` is stdout. With -G, `%` is strftime(3)''s')
            [CompletionResult]::new('--write', '--write', [CompletionResultType]::ParameterName, 'Write the packets to this file (pcapng, readable by its owner only); `-` is stdout. With -G, `%` is strftime(3)''s')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Go on in another file before one has more than so many millions of octets')
            [CompletionResult]::new('--file-size', '--file-size', [CompletionResultType]::ParameterName, 'Go on in another file before one has more than so many millions of octets')
            [CompletionResult]::new('-W', '-W ', [CompletionResultType]::ParameterName, 'Keep the latest N files only, with -C or -G (tcpdump -G ends after N)')
            [CompletionResult]::new('--files', '--files', [CompletionResultType]::ParameterName, 'Keep the latest N files only, with -C or -G (tcpdump -G ends after N)')
            [CompletionResult]::new('-G', '-G ', [CompletionResultType]::ParameterName, 'Go on in another file after this time')
            [CompletionResult]::new('--rotate', '--rotate', [CompletionResultType]::ParameterName, 'Go on in another file after this time')
            [CompletionResult]::new('-B', '-B ', [CompletionResultType]::ParameterName, 'KiB of the ring that the kernel writes to')
            [CompletionResult]::new('--buffer', '--buffer', [CompletionResultType]::ParameterName, 'KiB of the ring that the kernel writes to')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label the record; once for each label')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'e')
            [CompletionResult]::new('-U', '-U ', [CompletionResultType]::ParameterName, 'U')
            [CompletionResult]::new('--list-interfaces', '--list-interfaces', [CompletionResultType]::ParameterName, 'Print what -i may name, and nothing else (tcpdump''s -D)')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'TARGET is a file: sum up its packets instead of capturing')
            [CompletionResult]::new('--read', '--read', [CompletionResultType]::ParameterName, 'TARGET is a file: sum up its packets instead of capturing')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Keep the packets of every host')
            [CompletionResult]::new('--own', '--own', [CompletionResultType]::ParameterName, 'Keep the packets of the ssh connection that this was started through, too')
            [CompletionResult]::new('--full', '--full', [CompletionResultType]::ParameterName, 'Keep whole packets, as -s 0 does')
            [CompletionResult]::new('--pcap', '--pcap', [CompletionResultType]::ParameterName, 'Write pcap with nanoseconds instead of pcapng')
            [CompletionResult]::new('--redact', '--redact', [CompletionResultType]::ParameterName, 'Write zeros for all behind the transport''s header')
            [CompletionResult]::new('--anon', '--anon', [CompletionResultType]::ParameterName, 'Replace addresses by others with the same prefixes in common, by a key that is forgotten; redacts as well')
            [CompletionResult]::new('--promisc', '--promisc', [CompletionResultType]::ParameterName, 'Capture also what is for other hosts, where the interface sees it')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Capture only what is for this host, which is so unless --promisc is set (tcpdump''s -p)')
            [CompletionResult]::new('--no-promisc', '--no-promisc', [CompletionResultType]::ParameterName, 'Capture only what is for this host, which is so unless --promisc is set (tcpdump''s -p)')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Print numbers, not names: always so, for tcpdump''s users, who may say it twice')
            [CompletionResult]::new('--numeric', '--numeric', [CompletionResultType]::ParameterName, 'Print numbers, not names: always so, for tcpdump''s users, who may say it twice')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the record as one line of JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print the record as CSV: a header, then a row of base units, or one for each of ping''s targets')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Measure again and again, and draw it on a terminal, until told to stop')
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Keep the record in the store (the file''s store.save makes this the rule)')
            [CompletionResult]::new('--no-save', '--no-save', [CompletionResultType]::ParameterName, 'Keep nothing, whatever store.save says')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}

using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'sysinfo' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'sysinfo'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'sysinfo' {
            [CompletionResult]::new('--only', '--only', [CompletionResultType]::ParameterName, 'Only these parts, separated by commas [default: all]')
            [CompletionResult]::new('--rate', '--rate', [CompletionResultType]::ParameterName, 'Read counters twice, this long apart, so that they become rates')
            [CompletionResult]::new('--diff', '--diff', [CompletionResultType]::ParameterName, 'Tell what has changed since the record in FILE, as --json writes it (- is standard input); given twice, what changed from the first to the second, and this host is not looked at')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label the record; once for each label')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--processes', '--processes', [CompletionResultType]::ParameterName, 'List the processes that use the most CPU time and memory, with their command lines')
            [CompletionResult]::new('--sockets', '--sockets', [CompletionResultType]::ParameterName, 'List TCP connections with their round-trip times and retransmissions, those that lose most first')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the record as one line of JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print the record as CSV: a header, then a row of base units, or one for each of ping''s targets')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the summary')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--timestamps', '--timestamps', [CompletionResultType]::ParameterName, 'Begin each line with its time, in seconds since 1970')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Measure again and again, and draw it on a terminal, until told to stop')
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Keep the record in the store (the file''s store.save makes this the rule)')
            [CompletionResult]::new('--no-save', '--no-save', [CompletionResultType]::ParameterName, 'Keep nothing, whatever store.save says')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}

using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'autoperf' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'autoperf'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'autoperf' {
            [CompletionResult]::new('--target', '--target', [CompletionResultType]::ParameterName, 'Measure only this target; may be repeated')
            [CompletionResult]::new('--tier', '--tier', [CompletionResultType]::ParameterName, 'Run this tier now, whatever the state; its budget still counts')
            [CompletionResult]::new('--stagger', '--stagger', [CompletionResultType]::ParameterName, 'First wait for a time up to this, which is this host''s own: so that hosts with one crontab do not burst')
            [CompletionResult]::new('--if-locked', '--if-locked', [CompletionResultType]::ParameterName, 'What to do when another process measures already and takes no orders: end with 75, or with 0 and silently')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--ignore-budget', '--ignore-budget', [CompletionResultType]::ParameterName, 'Run it although the day''s budget is spent')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'End with 1 when a target is bad')
            [CompletionResult]::new('--nagios', '--nagios', [CompletionResultType]::ParameterName, 'End with a Nagios plugin''s codes and print its line, with performance data')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print each run''s record as one line of JSON')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing but failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing but failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'One round of every target now, and what it leads to (also without this word)')
            [CompletionResult]::new('daemon', 'daemon', [CompletionResultType]::ParameterValue, 'Measure on the schedule, in the foreground until told to stop')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Print what would be measured, how often, and the most that it sends; nothing is sent')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Print how the targets are')
            break
        }
        'autoperf;run' {
            [CompletionResult]::new('--target', '--target', [CompletionResultType]::ParameterName, 'Measure only this target; may be repeated')
            [CompletionResult]::new('--tier', '--tier', [CompletionResultType]::ParameterName, 'Run this tier now, whatever the state; its budget still counts')
            [CompletionResult]::new('--stagger', '--stagger', [CompletionResultType]::ParameterName, 'First wait for a time up to this, which is this host''s own: so that hosts with one crontab do not burst')
            [CompletionResult]::new('--if-locked', '--if-locked', [CompletionResultType]::ParameterName, 'What to do when another process measures already and takes no orders: end with 75, or with 0 and silently')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--ignore-budget', '--ignore-budget', [CompletionResultType]::ParameterName, 'Run it although the day''s budget is spent')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'End with 1 when a target is bad')
            [CompletionResult]::new('--nagios', '--nagios', [CompletionResultType]::ParameterName, 'End with a Nagios plugin''s codes and print its line, with performance data')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print each run''s record as one line of JSON')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing but failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing but failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'autoperf;daemon' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'autoperf;check' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'autoperf;status' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this configuration instead of the system''s or the user''s')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Keep store, spool, locks and identity here')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one line of JSON for each target')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell more on stderr; twice for traces')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
