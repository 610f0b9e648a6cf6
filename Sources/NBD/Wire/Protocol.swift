// The numbers of the NBD protocol, named as in its specification (NetworkBlockDevice/nbd, doc/proto.md), without the
// `NBD_` prefix. Everything on the wire is big-endian.

/// Magic numbers that open messages.
enum Magic {
    static let greeting: UInt64 = 0x4e42_444d_4147_4943  // "NBDMAGIC"
    static let option: UInt64 = 0x4948_4156_454f_5054  // "IHAVEOPT"
    static let optionReply: UInt64 = 0x0003_e889_0455_65a9
    static let request: UInt32 = 0x2560_9513
    static let simpleReply: UInt32 = 0x6744_6698
    static let structuredReply: UInt32 = 0x668e_33ef
}

/// What server and client say of themselves before options.
enum HandshakeFlag {
    static let fixedNewstyle: UInt16 = 1 << 0
    static let noZeroes: UInt16 = 1 << 1
}

/// What a client may ask for while negotiating.
enum OptionCode: UInt32 {
    case exportName = 1, abort = 2, list = 3, startTLS = 5, info = 6, go = 7, structuredReply = 8
    case listMetaContext = 9, setMetaContext = 10
}

/// What an option is answered with.
enum OptionReply: UInt32 {
    case ack = 1, server = 2, info = 3, metaContext = 4
    case unsupported = 0x8000_0001, policy = 0x8000_0002, invalid = 0x8000_0003, platform = 0x8000_0004
    case tlsRequired = 0x8000_0005, unknown = 0x8000_0006, shuttingDown = 0x8000_0007
    case blockSizeRequired = 0x8000_0008, tooBig = 0x8000_0009
}

/// Pieces of information about an export, in answers to GO and INFO.
enum InfoType: UInt16 {
    case export = 0, name = 1, description = 2, blockSize = 3
}

/// What a client may do with an export.
struct TransmissionFlags: OptionSet, Sendable {
    let rawValue: UInt16
    static let hasFlags = Self(rawValue: 1 << 0)
    static let readOnly = Self(rawValue: 1 << 1)
    static let sendFlush = Self(rawValue: 1 << 2)
    static let sendFUA = Self(rawValue: 1 << 3)
    static let sendTrim = Self(rawValue: 1 << 5)
    static let sendWriteZeroes = Self(rawValue: 1 << 6)
    static let sendDF = Self(rawValue: 1 << 7)
    static let canMultiConn = Self(rawValue: 1 << 8)
    static let sendCache = Self(rawValue: 1 << 10)
    static let sendFastZero = Self(rawValue: 1 << 11)
}

/// What a request asks for.
enum Command: UInt16 {
    case read = 0, write = 1, disconnect = 2, flush = 3, trim = 4, cache = 5, writeZeroes = 6, blockStatus = 7
}

/// How a request wants to be carried out.
struct CommandFlags: OptionSet, Sendable {
    let rawValue: UInt16
    static let fua = Self(rawValue: 1 << 0)
    static let noHole = Self(rawValue: 1 << 1)
    static let df = Self(rawValue: 1 << 2)
    static let reqOne = Self(rawValue: 1 << 3)
    static let fastZero = Self(rawValue: 1 << 4)
}

/// What a chunk of a structured reply holds.
enum ChunkType {
    static let none: UInt16 = 0
    static let offsetData: UInt16 = 1
    static let offsetHole: UInt16 = 2
    static let blockStatus: UInt16 = 5
    static let error: UInt16 = 0x8001
    /// The flag of a reply's last chunk.
    static let done: UInt16 = 1 << 0
}

/// `base:allocation`'s bits. (`varve:dirty` has one, 1 for changed.)
enum BlockState {
    static let hole: UInt32 = 1 << 0
    static let zero: UInt32 = 1 << 1
    static let dirty: UInt32 = 1 << 0
}

/// The error numbers that the protocol knows.
enum NBDError: UInt32 {
    case notPermitted = 1, io = 5, noMemory = 12, invalid = 22, noSpace = 28, overflow = 75, notSupported = 95
    case shuttingDown = 108
}

/// Bounds that this server announces or keeps.
enum Bounds {
    /// The smallest request in bytes, the size requests should be multiples of, and the largest payload.
    static let blockSizeMin: UInt32 = 1
    static let blockSizePreferred: UInt32 = 4096
    static let payloadMax = 32 << 20
    /// A write above ``payloadMax`` is read past and refused up to here; above, the connection closes.
    static let skippedPayloadMax = 64 << 20
    /// The longest string the protocol allows.
    static let stringMax = 4096
    /// The longest option that is looked at; longer ones are answered with TOO_BIG.
    static let optionMax = 64 << 10
    /// An option above this closes the connection.
    static let skippedOptionMax = 16 << 20
    /// How many options one client may send.
    static let optionCountMax = 1000
}
