# The packets beside this file, by scapy's STAMP (an implementation of RFC 8762 and RFC 8972 that shares nothing with
# ours). Its FlagsField names bits from the least significant; RFC 8972 §4 draws U as the most significant.
import pathlib
from scapy.contrib.stamp import *

U, EST = 0x80, dict(S=1, Z=0, scale=16, multiplier=200)
SECONDS = 1795564800.5 + 2208988800  # 2026-11-25T00:00:00.5Z since 1900

def tlv(kind, value, flags=U):
    return STAMPTestTLV(flags=flags, type=kind, len=len(value), value=value)

def sender(*tlvs):
    return STAMPSessionSenderTestUnauthenticated(
        seq=7, ts=SECONDS, err_estimate=ErrorEstimate(**EST), ssid=0x1234, tlv_objects=list(tlvs))

def reflector(*tlvs):
    return STAMPSessionReflectorTestUnauthenticated(
        seq=3, ts=SECONDS + 0.25, err_estimate=ErrorEstimate(S=0, Z=0, scale=20, multiplier=1), ssid=0x1234,
        ts_rx=SECONDS + 0.125, seq_sender=7, ts_sender=SECONDS, err_estimate_sender=ErrorEstimate(**EST),
        ttl_sender=61, tlv_objects=list(tlvs))

direct = (9).to_bytes(4, "big") + bytes(8)
packets = {
    "sender": sender(),
    "sender-tlvs": sender(tlv(4, bytes([46 << 2, 0, 0, 0])), tlv(5, direct), tlv(200, b"what?"), tlv(1, bytes(11))),
    "reflector": reflector(),
    "reflector-tlvs": reflector(tlv(5, (9).to_bytes(4, "big") + (4).to_bytes(4, "big") * 2, 0), tlv(200, b"what?"),
                                tlv(1, bytes(11), 0)),
}
for name, packet in packets.items():
    text = bytes(packet).hex(" ", 1).split(" ")
    lines = [" ".join(text[at:at + 16]) for at in range(0, len(text), 16)]
    pathlib.Path(__file__).with_name(name + ".hex").write_text("\n".join(lines) + "\n")
