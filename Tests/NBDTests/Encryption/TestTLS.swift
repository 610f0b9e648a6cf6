import Blocks
import CTLS
import TestSupport
import Testing

@testable import NBD
@testable import TLS

/// The other side of TLS, and files for ours.
enum TestTLS {
    struct Failed: Error {}

    /// A client's context. It trusts ``TestPEM/authority`` unless told otherwise.
    static func client(
        trusting authority: String = TestPEM.authority, certificate: (String, key: String)? = nil,
        newest version: Int32? = nil
    ) -> TLSContext {
        unsafe TLSContext { context in
            unsafe withPEM(authority) { bio in
                let found = unsafe PEM_read_bio_X509(bio, nil, nil, nil)
                unsafe X509_STORE_add_cert(SSL_CTX_get_cert_store(context), found)
                unsafe X509_free(found)
            }
            unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
            if let version { unsafe SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version), nil) }
            guard let (certificate, key) = certificate else { return }
            unsafe withPEM(certificate) { bio in
                let found = unsafe PEM_read_bio_X509(bio, nil, nil, nil)
                unsafe SSL_CTX_use_certificate(context, found)
                unsafe X509_free(found)
            }
            unsafe withPEM(key) { bio in
                let found = unsafe PEM_read_bio_PrivateKey(bio, nil, nil, nil)
                unsafe SSL_CTX_use_PrivateKey(context, found)
                unsafe EVP_PKEY_free(found)
            }
        }
    }

    /// A client's context with a shared key: alice's own, a wrong one of hers, or that of a user nobody knows.
    enum User: CaseIterable { case alice, wrongKey, unknown }
    static func client(sharing user: User, newest version: Int32? = nil) -> TLSContext {
        unsafe TLSContext { context in
            switch user {
            case .alice:
                unsafe SSL_CTX_set_psk_client_callback(context) { _, _, name, _, key, _ in
                    unsafe TestTLS.answer("alice", 0x11, name, key)
                }
            case .wrongKey:
                unsafe SSL_CTX_set_psk_client_callback(context) { _, _, name, _, key, _ in
                    unsafe TestTLS.answer("alice", 0x22, name, key)
                }
            case .unknown:
                unsafe SSL_CTX_set_psk_client_callback(context) { _, _, name, _, key, _ in
                    unsafe TestTLS.answer("mal\nlory", 0x11, name, key)
                }
            }
            if let version { unsafe SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version), nil) }
        }
    }
    static let sharedKeys = "alice:" + String(repeating: "11", count: 32) + "\n"

    private static func answer(
        _ user: String, _ byte: UInt8, _ name: UnsafeMutablePointer<CChar>?, _ key: UnsafeMutablePointer<UInt8>?
    ) -> UInt32 {
        guard let name = unsafe name, let key = unsafe key else { return 0 }
        for (index, character) in user.utf8.enumerated() { unsafe name[index] = CChar(character) }
        unsafe name[user.utf8.count] = 0
        for index in 0..<32 { unsafe key[index] = byte }
        return 32
    }

    private static func withPEM(_ text: String, _ body: (OpaquePointer?) -> Void) {
        var text = text
        text.withUTF8 { all in
            let bio = unsafe BIO_new_mem_buf(all.baseAddress, Int32(all.count))
            unsafe body(bio)
            unsafe BIO_free(bio)
        }
    }

    /// The client's side of a handshake.
    static func connect(_ context: TLSContext, over stream: any ByteStream) throws -> TLSStream {
        let engine = TLSEngine(context, isServer: false)
        while true {
            let outcome = engine.handshake()
            try engine.flush(to: stream)
            switch outcome {
            case .moved: return TLSStream(engine, over: stream)
            case .mustSend: continue
            case .needsInput: guard try engine.fill(from: stream, wait: true) != .end else { throw Failed() }
            case .ended, .failed: throw Failed()
            }
        }
    }

    /// Both sides of a handshake over `pipe`: what each came to.
    static func meet(
        _ security: TLSSecurity, _ client: TLSContext, _ pipe: Pipe = Pipe(), limit: Duration = .seconds(20)
    ) -> (server: Result<any ByteStream, SecurityFailure>, client: TLSStream?) {
        let ours = Guarded<TLSStream??>(nil)
        let thread = OSThread(name: "test-client") {
            let stream: TLSStream?
            do { stream = try connect(client, over: pipe.client) } catch { stream = nil }
            if stream == nil { pipe.client.shutdown() }
            ours.change { $0 = .some(stream) }
        }
        let server: Result<any ByteStream, SecurityFailure>
        do throws(SecurityFailure) { server = .success(try security.secure(pipe.server, within: limit)) } catch {
            pipe.server.shutdown()
            server = .failure(error)
        }
        thread.join()
        return (server, ours.withLock { $0 } ?? nil)
    }
}

/// Files for the server's side, in a folder of their own.
final class TLSFolder {
    private let scratch: ScratchDirectory
    var path: String { scratch.path }

    init() throws { scratch = try ScratchDirectory("tls") }

    func put(_ text: String, as name: String) throws -> String {
        let file = try LocalDisk().open(path + "/" + name, .create)
        try file.resize(to: ByteCount(text.utf8.count))
        try Array(text.utf8).readBytes { bytes in try file.write(bytes, at: 0, durably: false) }
        return path + "/" + name
    }

    /// Server's certificate and key, and what the clients must show.
    func files(authorities: String? = nil, sharedKeys: String? = nil) throws -> TLSFiles {
        TLSFiles(
            certificate: try put(TestPEM.server, as: "server.pem"), key: try put(TestPEM.serverKey, as: "server.key"),
            clientAuthorities: try authorities.map { try put($0, as: "authorities.pem") },
            sharedKeys: try sharedKeys.map { try put($0, as: "keys.psk") })
    }
}

/// Two byte streams in memory, each the other's other end.
final class Pipe: Sendable {
    let client: End
    let server: End

    /// `pieceMax`: nothing is received in longer pieces.
    init(pieceMax: Int = .max) {
        let toServer = Guarded(Wire()), toClient = Guarded(Wire())
        server = End(incoming: toServer, outgoing: toClient, pieceMax: pieceMax)
        client = End(incoming: toClient, outgoing: toServer, pieceMax: pieceMax)
    }

    struct Wire {
        var bytes: [UInt8] = []
        var start = 0
        var isEnded = false
    }

    final class End: ByteStream {
        private let incoming: Guarded<Wire>
        private let outgoing: Guarded<Wire>
        private let pieceMax: Int
        private let limit = Guarded<Duration?>(nil)

        init(incoming: Guarded<Wire>, outgoing: Guarded<Wire>, pieceMax: Int) {
            self.incoming = incoming
            self.outgoing = outgoing
            self.pieceMax = pieceMax
        }

        func receive(
            into first: inout MutableRawSpan, then second: inout MutableRawSpan, wait: Bool
        ) throws(StreamFailure) -> Received {
            let room = min(first.byteCount + second.byteCount, pieceMax)
            let patience = wait ? limit.withLock { $0 } ?? .seconds(20) : .zero
            let piece: [UInt8]? = incoming.wait(atMost: patience) { wire in
                guard wire.start < wire.bytes.count || wire.isEnded else { return nil }
                let taken = Array(wire.bytes[wire.start...].prefix(room))
                wire.start += taken.count
                if wire.start == wire.bytes.count { (wire.bytes, wire.start) = ([], 0) }
                return taken
            }
            guard let piece else {
                if wait { throw .timedOut }
                return .nothingYet
            }
            guard !piece.isEmpty else { return .end }
            let split = min(first.byteCount, piece.count)
            Array(piece[..<split]).readBytes { first.copy($0) }
            Array(piece[split...]).readBytes { second.copy($0) }
            return .bytes(piece.count)
        }
        func send(_ bytes: RawSpan) throws(StreamFailure) {
            let copy = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
            let isOpen = outgoing.change { wire in
                if !wire.isEnded { wire.bytes += copy }
                return !wire.isEnded
            }
            if !isOpen { throw .closed }
        }
        func waitToReceive(or signal: Signal) throws(StreamFailure) {
            incoming.wait { $0.start < $0.bytes.count || $0.isEnded ? () : nil }
        }
        func shutdownReceiving() { incoming.change { $0.isEnded = true } }
        func shutdown() {
            incoming.change { $0.isEnded = true }
            outgoing.change { $0.isEnded = true }
        }
        func limitWaiting(to limit: Duration?) { self.limit.withLock { $0 = limit } }

        /// Takes away everything that was sent here and not received.
        func intercept() -> [UInt8] {
            incoming.change { wire in
                defer { (wire.bytes, wire.start) = ([], 0) }
                return Array(wire.bytes[wire.start...])
            }
        }
        /// Puts bytes here as if the other end had sent them.
        func deliver(_ bytes: [UInt8]) { incoming.change { $0.bytes += bytes } }
    }
}

extension ByteStream {
    func say(_ bytes: [UInt8]) throws { try bytes.readBytes { (bytes) throws(StreamFailure) in try send(bytes) } }

    /// So many bytes, or those until the end.
    func hear(_ count: Int) throws -> [UInt8] {
        var all: [UInt8] = []
        while all.count < count {
            var piece = [UInt8](repeating: 0, count: min(count - all.count, 1 << 16))
            let received = try piece.writeBytes { (span) throws(StreamFailure) in
                var none = MutableRawSpan()
                return try receive(into: &span, then: &none, wait: true)
            }
            guard case .bytes(let more) = received else { return all }
            all += piece.prefix(more)
        }
        return all
    }
}
