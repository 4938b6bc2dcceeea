/** `struct tcp_info` of Linux: it only ever grows, so each field is read if the kernel gave that many bytes. */

/** What the kernel knows of a TCP connection. Times are in the unit of their name, rates in bytes a second. */
export interface TcpInfo {
  /** TCP_ESTABLISHED, TCP_CLOSE_WAIT, … */
  readonly state: number;
  readonly retransmits: number;
  readonly probes: number;
  readonly backoff: number;
  readonly sendWindowScale: number;
  readonly receiveWindowScale: number;
  readonly rtoMicroseconds: number | undefined;
  readonly sendMssBytes: number | undefined;
  readonly receiveMssBytes: number | undefined;
  readonly unackedSegments: number | undefined;
  readonly lostSegments: number | undefined;
  readonly retransSegments: number | undefined;
  readonly lastDataSentMs: number | undefined;
  readonly lastDataReceivedMs: number | undefined;
  readonly lastAckReceivedMs: number | undefined;
  readonly pathMtuBytes: number | undefined;
  readonly rttMicroseconds: number | undefined;
  readonly rttVarianceMicroseconds: number | undefined;
  readonly congestionWindowSegments: number | undefined;
  readonly slowStartThresholdSegments: number | undefined;
  readonly totalRetransmits: number | undefined;
  readonly pacingRate: number | undefined;
  readonly bytesAcked: number | undefined;
  readonly bytesReceived: number | undefined;
  readonly segmentsOut: number | undefined;
  readonly segmentsIn: number | undefined;
  readonly notSentBytes: number | undefined;
  readonly minRttMicroseconds: number | undefined;
  readonly deliveryRate: number | undefined;
  readonly bytesSent: number | undefined;
  readonly bytesRetransmitted: number | undefined;
  /** The structure as the kernel gave it. */
  readonly bytes: Uint8Array;
}

/** Reads the bytes of TCP_INFO. */
export function parseTcpInfo(bytes: Uint8Array): TcpInfo {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const u8 = (offset: number) => (offset < bytes.length ? view.getUint8(offset) : 0);
  const u32 = (offset: number) => (offset + 4 <= bytes.length ? view.getUint32(offset, true) : undefined);
  const u64 = (offset: number) =>
    offset + 8 <= bytes.length ? Number(view.getBigUint64(offset, true)) : undefined;
  return {
    state: u8(0),
    retransmits: u8(2),
    probes: u8(3),
    backoff: u8(4),
    sendWindowScale: u8(6) & 0xf,
    receiveWindowScale: u8(6) >> 4,
    rtoMicroseconds: u32(8),
    sendMssBytes: u32(16),
    receiveMssBytes: u32(20),
    unackedSegments: u32(24),
    lostSegments: u32(32),
    retransSegments: u32(36),
    lastDataSentMs: u32(44),
    lastDataReceivedMs: u32(52),
    lastAckReceivedMs: u32(56),
    pathMtuBytes: u32(60),
    rttMicroseconds: u32(68),
    rttVarianceMicroseconds: u32(72),
    slowStartThresholdSegments: u32(76),
    congestionWindowSegments: u32(80),
    totalRetransmits: u32(100),
    pacingRate: u64(104),
    bytesAcked: u64(120),
    bytesReceived: u64(128),
    segmentsOut: u32(136),
    segmentsIn: u32(140),
    notSentBytes: u32(144),
    minRttMicroseconds: u32(148),
    deliveryRate: u64(160),
    bytesSent: u64(200),
    bytesRetransmitted: u64(208),
    bytes,
  };
}
