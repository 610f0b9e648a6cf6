import Blocks
import Testing

@testable import NBD
@testable import TLS

@Suite struct TLSFilesTests {
    @Test("a file that cannot be used is named, with what is wrong")
    func badFiles() throws {
        let folder = try TLSFolder(), good = try folder.files()
        func failure(_ change: (inout TLSFiles) throws -> Void) throws -> TLSFileFailure? {
            var files = good
            try change(&files)
            do throws(TLSFileFailure) { _ = try TLSSecurity(files) } catch { return error }
            return nil
        }
        let missing = try failure { $0.certificate = "/nowhere/cert.pem" }
        #expect(missing?.description == "/nowhere/cert.pem does not exist" && missing?.part == .certificate)
        let directory = try failure { $0.key = folder.path }
        #expect(directory?.description == "\(folder.path) is a directory" && directory?.part == .key)
        for text in ["", "garbage", TestPEM.serverKey] {
            let path = try folder.put(text, as: "bad")
            #expect(
                try failure { $0.certificate = path }?.description.hasPrefix("\(path) holds no certificate") == true)
            #expect(try failure { $0.clientAuthorities = path }?.part == .clientAuthorities)
        }
        let noKey = try folder.put(TestPEM.server, as: "nokey")
        #expect(try failure { $0.key = noKey }?.description.hasPrefix("\(noKey) holds no private key") == true)
        let other = try folder.put(TestPEM.clientKey, as: "otherkey")
        #expect(try failure { $0.key = other }?.reason.hasPrefix("does not belong to the certificate") == true)
        let locked = try folder.put(Self.lockedKey, as: "locked")
        #expect(try failure { $0.key = locked }?.reason.contains("passphrase") == true)
        let huge = try LocalDisk().open(folder.path + "/huge", .create)
        try huge.resize(to: .mebibytes(2))
        #expect(try failure { $0.key = folder.path + "/huge" }?.reason.contains("too long") == true)
        #expect(try failure { _ in } == nil)
    }

    /// Not a key: only its first line matters.
    static let lockedKey = """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgAAAAAAAAAAAICCAAw
        -----END ENCRYPTED PRIVATE KEY-----
        """

    @Test("an expired certificate is a warning")
    func expired() throws {
        let folder = try TLSFolder()
        let files = TLSFiles(
            certificate: try folder.put(TestPEM.stale, as: "c"), key: try folder.put(TestPEM.staleKey, as: "k"))
        let warnings = try TLSSecurity(files).warnings
        #expect(warnings.count == 1 && warnings.first?.contains("has expired") == true)
        #expect(try TLSSecurity(try folder.files()).warnings.isEmpty)
    }

    @Test("files that are replaced count for the next handshake; broken ones do not, and that is said once")
    func replaced() throws {
        let folder = try TLSFolder(), said = Guarded<[String]>([])
        let files = try folder.files(authorities: TestPEM.otherAuthority)
        let security = try TLSSecurity(files, lookInterval: .zero) { text in said.change { $0.append(text) } }
        let client = TestTLS.client(certificate: (TestPEM.client, key: TestPEM.clientKey))
        func isLetIn() -> Bool {
            if case .success = TestTLS.meet(security, client).server { return true }
            return false
        }
        #expect(!isLetIn() && said.withLock { $0 } == [])
        _ = try folder.put(TestPEM.authority, as: "authorities.pem")
        #expect(isLetIn())
        #expect(said.withLock { $0.count } == 1)
        _ = try folder.put("", as: "server.key")
        #expect(isLetIn() && isLetIn())
        #expect(said.withLock { $0.count } == 2)
        #expect(said.withLock { $0.last?.contains("server.key") } == true)
        _ = try folder.put(TestPEM.serverKey, as: "server.key")
        #expect(isLetIn())
        #expect(said.withLock { $0.count } == 2)
    }

    @Test("shared keys are read line by line")
    func sharedKeys() throws {
        let key = String(repeating: "aF", count: 16), bytes = [UInt8](repeating: 0xaf, count: 16)
        let keys = try SharedKeys(Array("# ours\n\nalice:\(key)\r\na:b:\(key)\nbob:00\(key)".utf8))
        #expect(keys.key(of: Array("alice".utf8)) == bytes && keys.key(of: Array("a:b".utf8)) == bytes)
        #expect(keys.key(of: Array("bob".utf8)) == [0] + bytes && keys.key(of: Array("carol".utf8)) == nil)
    }

    @Test(
        "shared keys that cannot be used are refused with their line",
        arguments: [
            ("", "names no user"), ("# nobody\n", "names no user"), ("alice\n", "line 1"), (":00112233\n", "line 1"),
            ("\nalice:0011\n", "line 2: the key has 2 bytes"),
            ("alice:00112233445566778899aabbccddeef\n", "hexadecimal"),
            ("alice:0011223344556677889g\n", "hexadecimal"),
            ("a:" + String(repeating: "1", count: 1000), "must have 16 to 256"),
            ("a:00112233445566778899aabbccddeeff\na:00112233445566778899aabbccddeeff", "line 2: the user was there"),
        ])
    func badSharedKeys(text: String, reason: String) {
        #expect { try SharedKeys(Array(text.utf8)) } throws: {
            ($0 as? SharedKeys.BadLine)?.reason.contains(reason) == true
        }
    }
}
