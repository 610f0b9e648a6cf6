internal import Blocks
internal import CTLS
@testable internal import TLS

/// A server that lets in who shares alice's key, and clients' contexts with it.
struct TLSSetup: Sendable {
    let security: TLSSecurity
    /// TLS 1.3, and 1.2 at most.
    let newest, older: TLSContext
    /// Keeps the file.
    private let scratch: Scratch

    static let shared = Result { try TLSSetup() }

    private init() throws {
        scratch = try Scratch()
        let path = scratch.path + "/keys.psk"
        let file = try LocalDisk().open(path, .createNew)
        try Array("alice:\(String(repeating: "11", count: 32))\n".utf8).readBytes { bytes in
            try file.write(bytes, at: 0, durably: false)
        }
        security = try TLSSecurity(TLSFiles(sharedKeys: path), lookInterval: .seconds(1 << 30))
        newest = Self.client()
        older = Self.client(newest: 0x0303)
    }

    private static func client(newest version: Int = 0) -> TLSContext {
        unsafe TLSContext { context in
            unsafe SSL_CTX_set_psk_client_callback(context) { _, _, name, _, key, _ in
                guard let name = unsafe name, let key = unsafe key else { return 0 }
                for (index, byte) in "alice\0".utf8.enumerated() { unsafe name[index] = CChar(byte) }
                for index in 0..<32 { unsafe key[index] = 0x11 }
                return 32
            }
            if version != 0 { unsafe SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, version, nil) }
        }
    }
}

/// The server's end of a connection to a TLS client that lives in the same thread: it goes on whenever the server waits
/// for it. What it sends is changed on its way, as the fuzzer likes; with no input left it is left alone.
final class TLSPuppet: ByteStream, @unchecked Sendable {
    // Safe: one thread uses it.
    private let client: TLSEngine
    private let wire = Wire()
    private var input: FuzzInput
    private var messages: ArraySlice<[UInt8]>
    private var isShaken = false
    private var isOver = false
    /// For the server, changed already.
    private var arriving: [UInt8] = []
    private(set) var isTamperedWith = false

    init(_ context: TLSContext, _ messages: [[UInt8]], _ input: FuzzInput) {
        client = TLSEngine(context, isServer: false)
        self.messages = messages[...]
        self.input = input
    }

    func receive(
        into first: inout MutableRawSpan, then second: inout MutableRawSpan, wait: Bool
    ) throws(StreamFailure) -> Received {
        while arriving.isEmpty {
            if isOver { return .end }
            step()
        }
        let most = [1 << 20, 1 << 20, 7, 100][input.choice(4)]
        let piece = Array(arriving.prefix(min(most, first.byteCount + second.byteCount)))
        arriving.removeFirst(piece.count)
        Array(piece.prefix(first.byteCount)).readBytes { first.copy($0, at: 0) }
        Array(piece.dropFirst(first.byteCount)).readBytes { second.copy($0, at: 0) }
        return .bytes(piece.count)
    }

    /// One step of the client's: of the handshake, a message, or the end.
    private func step() {
        if !isShaken {
            let outcome = client.handshake()
            isShaken = outcome == .moved(0)
            isOver = outcome == .failed || outcome == .ended
            let hasSomethingToSay = client.outgoingCount > 0
            try? client.flush(to: wire)
            if outcome == .needsInput {
                if !wire.toClient.isEmpty {
                    _ = try? client.fill(from: wire, wait: false)
                } else if !hasSomethingToSay {
                    isOver = true
                }
            }
        } else if let message = messages.popFirst() {
            var done = 0
            while done < message.count, case .moved(let more) = client.writeArray(message, from: done) { done += more }
            try? client.flush(to: wire)
        } else {
            client.end()
            try? client.flush(to: wire)
            isOver = true
        }
        arriving += tamper(wire.take())
    }

    private func tamper(_ bytes: [UInt8]) -> [UInt8] {
        guard !bytes.isEmpty else { return [] }
        let change = input.choice(16)
        guard change >= 8 else { return bytes }
        var changed = bytes
        let at = Int(input.byte()) * bytes.count / 256
        switch change {
        case 8, 9: changed[at] ^= 1 << (input.byte() & 7)
        case 10: changed.removeSubrange(at...)
        case 11: changed.insert(contentsOf: input.piece(), at: at)
        case 12: changed += bytes
        case 13: changed = input.piece()
        case 14: changed.swapAt(at, bytes.count - 1)
        default: isOver = true
        }
        if changed != bytes || isOver { isTamperedWith = true }
        return changed
    }

    func send(_ bytes: RawSpan) throws(StreamFailure) {
        wire.toClient += unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) }
    }
    func waitToReceive(or signal: Signal) throws(StreamFailure) {}
    func shutdownReceiving() {}
    func shutdown() {}
    func limitWaiting(to limit: Duration?) {}

    /// What the client's engine sends to and receives from.
    private final class Wire: ByteStream, @unchecked Sendable {
        // Safe: one thread uses it.
        var toClient: [UInt8] = []
        private var fromClient: [UInt8] = []

        func take() -> [UInt8] {
            defer { fromClient = [] }
            return fromClient
        }
        func receive(
            into first: inout MutableRawSpan, then second: inout MutableRawSpan, wait: Bool
        ) throws(StreamFailure) -> Received {
            let piece = Array(toClient.prefix(first.byteCount))
            toClient.removeFirst(piece.count)
            piece.readBytes { first.copy($0, at: 0) }
            return .bytes(piece.count)
        }
        func send(_ bytes: RawSpan) throws(StreamFailure) {
            fromClient += unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) }
        }
        func waitToReceive(or signal: Signal) throws(StreamFailure) {}
        func shutdownReceiving() {}
        func shutdown() {}
        func limitWaiting(to limit: Duration?) {}
    }
}

extension TLSEngine {
    fileprivate func writeArray(_ bytes: [UInt8], from position: Int) -> Outcome {
        bytes.readBytes { write($0, from: position) }
    }
}
