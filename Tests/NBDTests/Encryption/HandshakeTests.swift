import Blocks
import TestSupport
import Testing

@testable import NBD
@testable import TLS

/// Who is let in, and what is said of the others.
@Suite struct HandshakeTests {
    static func reason(_ files: TLSFiles, _ client: TLSContext) throws -> String? {
        switch TestTLS.meet(try TLSSecurity(files), client).server {
        case .success: nil
        case .failure(let failure): failure.description
        }
    }

    @Test(
        "a client with a certificate of the authority is let in, others are told apart",
        arguments: [nil, 0x0303] as [Int32?])
    func mutual(version: Int32?) throws {
        let folder = try TLSFolder(), files = try folder.files(authorities: TestPEM.authority)
        let good = TestTLS.client(certificate: (TestPEM.client, key: TestPEM.clientKey), newest: version)
        #expect(try Self.reason(files, good) == nil)
        let none = try Self.reason(files, TestTLS.client(newest: version))
        #expect(none?.contains("sent no certificate") == true && none?.contains("authorities.pem") == true)
        let stale = TestTLS.client(certificate: (TestPEM.stale, key: TestPEM.staleKey), newest: version)
        #expect(try Self.reason(files, stale)?.contains("has expired") == true)
        let stranger = TestTLS.client(certificate: (TestPEM.stranger, key: TestPEM.strangerKey), newest: version)
        let why = try Self.reason(files, stranger)
        #expect(why?.contains("none of the authorities in") == true && why?.contains("authorities.pem") == true)
    }

    @Test("a client that does not know our authority hangs up, and the reason names our certificate")
    func unknownAuthority() throws {
        let folder = try TLSFolder()
        let why = try Self.reason(try folder.files(), TestTLS.client(trusting: TestPEM.otherAuthority))
        #expect(why?.contains("does not accept our certificate") == true && why?.contains("server.pem") == true)
    }

    @Test("a shared key lets in who has it", arguments: [nil, 0x0303] as [Int32?])
    func sharedKey(version: Int32?) throws {
        let folder = try TLSFolder()
        let files = TLSFiles(sharedKeys: try folder.put(TestTLS.sharedKeys, as: "keys.psk"))
        #expect(try Self.reason(files, TestTLS.client(sharing: .alice, newest: version)) == nil)
        let wrong = try Self.reason(files, TestTLS.client(sharing: .wrongKey, newest: version))
        #expect(wrong?.contains("keys.psk") == true, "\(wrong ?? "let in")")
        let unknown = try Self.reason(files, TestTLS.client(sharing: .unknown, newest: version))
        #expect(unknown?.contains("'mal?lory' is not in") == true, "\(unknown ?? "let in")")
        #expect(try Self.reason(files, TestTLS.client(newest: version)) != nil)
    }

    @Test("where certificates and shared keys are both good, either is enough and neither is not")
    func either() throws {
        let folder = try TLSFolder()
        let files = try folder.files(authorities: TestPEM.authority, sharedKeys: TestTLS.sharedKeys)
        #expect(try Self.reason(files, TestTLS.client(sharing: .alice)) == nil)
        #expect(try Self.reason(files, TestTLS.client(certificate: (TestPEM.client, key: TestPEM.clientKey))) == nil)
        for user in [TestTLS.User.wrongKey, .unknown] {
            #expect(try Self.reason(files, TestTLS.client(sharing: user)) != nil)
        }
        #expect(try Self.reason(files, TestTLS.client()) != nil)
    }

    @Test(
        "what is no TLS is refused at once",
        arguments: [
            Array("GET / HTTP/1.1\r\n\r\n".utf8), Say.option(.structuredReply) + Say.go("disk"),
            [UInt8](repeating: 0, count: 100), [22, 3, 1, 0xff, 0xff] + [UInt8](repeating: 1, count: 70_000),
        ] as [[UInt8]])
    func garbage(bytes: [UInt8]) throws {
        let folder = try TLSFolder(), pipe = Pipe()
        pipe.server.deliver(bytes)
        pipe.server.shutdownReceiving()
        let security = try TLSSecurity(try folder.files())
        #expect(throws: SecurityFailure.self) { try security.secure(pipe.server, within: .seconds(20)) }
    }

    @Test("no bytes can make it trap or wait past the end", arguments: Seed.some(fixed: 10, fresh: 10))
    func hostile(seed: Seed) throws {
        var random = SplitMix(seed.number)
        let folder = try TLSFolder(), security = try TLSSecurity(try folder.files())
        // The beginning of a true handshake, to be spoilt.
        let recorded = Pipe()
        let engine = TLSEngine(TestTLS.client(), isServer: false)
        _ = engine.handshake()
        try engine.flush(to: recorded.client)
        let hello = recorded.server.intercept()
        for _ in 0..<50 {
            var bytes = hello
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let position = Int.random(in: 0..<bytes.count, using: &random)
                bytes[position] = .random(in: 0...255, using: &random)
            }
            let pipe = Pipe()
            pipe.server.deliver(Array(bytes.prefix(Int.random(in: 1...bytes.count, using: &random))))
            pipe.server.shutdownReceiving()
            #expect(throws: SecurityFailure.self) { try security.secure(pipe.server, within: .seconds(20)) }
        }
    }

    @Test("a client that says nothing, or says it too slowly, is given up on")
    func slow() throws {
        let folder = try TLSFolder(), security = try TLSSecurity(try folder.files())
        let silent = Pipe()
        #expect { try security.secure(silent.server, within: .milliseconds(20)) } throws: {
            "\($0)".contains("not done within")
        }
        // Each byte comes in good time, the whole never would.
        let dripping = Pipe(), isOver = Guarded(false)
        let thread = OSThread(name: "test-drip") {
            dripping.server.deliver([22, 3, 1, 2, 0])
            while !isOver.withLock({ $0 }) {
                dripping.server.deliver([1])
                SystemClock().sleep(.milliseconds(5))
            }
        }
        #expect { try security.secure(dripping.server, within: .milliseconds(100)) } throws: {
            "\($0)".contains("not done within") || "\($0)".contains("no TLS")
        }
        isOver.withLock { $0 = true }
        thread.join()
    }
}
