import Blocks
import Testing

@testable import Repository

/// The primitives against published answers, and what a sealed pack promises.
@Suite struct CipherTests {
    private func bytes(_ digits: String) throws -> [UInt8] {
        try #require(Hexadecimal.bytes(of: digits.filter { !$0.isWhitespace }))
    }
    private func secret(_ digits: String) throws -> Secret {
        var key = try bytes(digits)
        return Secret(taking: &key)
    }

    struct Vector: Sendable {
        var key, nonce, context, plain, sealed, tag: String
    }
    private static let long = """
        d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72
        1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39
        """
    private static let longSealed = """
        522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa
        8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662
        """
    /// Cases 13 to 16 of "The Galois/Counter Mode of Operation", as NIST was given them.
    static let vectors = [
        Vector(
            key: String(repeating: "0", count: 64), nonce: String(repeating: "0", count: 24), context: "", plain: "",
            sealed: "", tag: "530f8afbc74536b9a963b4f1c4cb738b"),
        Vector(
            key: String(repeating: "0", count: 64), nonce: String(repeating: "0", count: 24), context: "",
            plain: String(repeating: "0", count: 32), sealed: "cea7403d4d606b6e074ec5d3baf39d18",
            tag: "d0d1c8a799996bf0265b98b5d48ab919"),
        Vector(
            key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", nonce: "cafebabefacedbaddecaf888",
            context: "", plain: long + "1aafd255", sealed: longSealed + "898015ad",
            tag: "b094dac5d93471bdec1a502270e3cc6c"),
        Vector(
            key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", nonce: "cafebabefacedbaddecaf888",
            context: "feedfacedeadbeeffeedfacedeadbeefabaddad2", plain: long, sealed: longSealed,
            tag: "76fc6ece0f4e1768cddf8853bb2d551b"),
    ]

    @Test("AES-256-GCM gives the published answers, and opens nothing else", arguments: vectors.indices)
    func galoisCounterMode(_ index: Int) throws {
        let vector = Self.vectors[index]
        let key = try secret(vector.key), nonce = try bytes(vector.nonce), context = try bytes(vector.context)
        let plain = try bytes(vector.plain)
        // Beside other bytes, which must not change.
        var work: [UInt8] = [7, 7] + plain + [7]
        let place = 2..<2 + plain.count
        let tag = AESGCM.seal(&work, place, key, nonce: nonce, context: context)
        #expect(Array(work[place]) == (try bytes(vector.sealed)))
        #expect(tag == (try bytes(vector.tag)))
        #expect(work.prefix(2) == [7, 7] && work.last == 7)
        func open(_ sealed: [UInt8], _ tag: [UInt8], _ key: Secret, _ nonce: [UInt8], _ context: [UInt8]) -> [UInt8]? {
            sealed.readBytes(0..<sealed.count) { AESGCM.open($0, tag: tag, key, nonce: nonce, context: context) }
        }
        let sealed = Array(work[place])
        #expect(open(sealed, tag, key, nonce, context) == plain)
        for bit in stride(from: 0, to: 128, by: 9) {
            var wrong = tag
            wrong[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(open(sealed, wrong, key, nonce, context) == nil)
        }
        for byte in sealed.indices {
            var wrong = sealed
            wrong[byte] ^= 1
            #expect(open(wrong, tag, key, nonce, context) == nil)
        }
        #expect(open(sealed, tag, key, nonce, context + [0]) == nil)
        #expect(open(sealed, tag, key, [1] + nonce.dropFirst(), context) == nil)
        #expect(open(sealed, tag, .random(), nonce, context) == nil)
    }

    @Test("HMAC-SHA256 and scrypt give the answers of RFC 4231 and RFC 7914")
    func derivations() throws {
        let key = try secret(String(repeating: "0b", count: 20))
        let text = Array("Hi There".utf8)
        #expect(
            text.readBytes(0..<text.count) { KeyedHash.mac(key, of: $0) }.description
                == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        var words = Array("pleaseletmein".utf8)
        let made = Scrypt(n: 16384, r: 8, p: 1, salt: Array("SodiumChloride".utf8)).key(of: Secret(taking: &words))
        #expect(words == [UInt8](repeating: 0, count: 13), "the original is wiped")
        #expect(
            made.read { Hexadecimal.text(of: [UInt8](copying: $0)) }
                == "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2")
    }

    @Test("the worked example of docs/formats.md")
    func workedExample() throws {
        var key = [UInt8](0..<32)
        let secret = Secret(taking: &key)
        #expect(KeyID(of: secret).uuid == "e2a83654-0f41-7804-da9b-4442d12f528d")
        let cipher = SnapshotCipher(.random(), secret)
        let stored = try bytes("000102030405060708090a0b0c0d0e0f 42cfb55477 1e90688aac6050a9ed5355001fcd2e5f")
        let plain = Array("varve".utf8)
        let digest = plain.readBytes(0..<plain.count) { cipher.digest(of: $0) }
        #expect(digest.description == "2ed9c57b19f9df8e961297cc28491acee47b7235c7106e6af8a9ee2adb3bf775")
        let pointer = FramePointer(
            pack: PackName(Fixture.id(1), 2), offset: 8, storedLength: 37, plainLength: 5, codec: .sealedRaw,
            digest: digest)
        #expect(stored.readBytes(0..<stored.count) { cipher.openFrame(pointer, $0) } == plain)
    }

    // MARK: Packs

    private func pack(_ number: Int, _ frames: [[UInt8]]) -> (SealedPack, [FramePointer]) {
        var builder = PackBuilder(name: PackName(Fixture.id(1), number), capacity: 0, isSealed: true)
        var pointers: [FramePointer] = []
        for (index, frame) in frames.enumerated() {
            let blocks = [BlockRange(at: BlockIndex(index), count: 1)]
            let encoded = EncodedFrame(
                place: 0..<frame.count, plainLength: frame.count, codec: .sealedRaw, digest: Digest(of: frame),
                what: .data(leaf: 0, blocks: blocks), captured: blocks)
            pointers.append(frame.readBytes(0..<frame.count) { builder.append(encoded, stored: $0) })
        }
        return (builder.sealed(), pointers)
    }

    private func open(_ cipher: SnapshotCipher, _ pack: SealedPack, _ pointer: FramePointer) -> [UInt8]? {
        pack.bytes.readBytes(pointer.offset..<pointer.offset + pointer.storedLength) { cipher.openFrame(pointer, $0) }
    }

    @Test("a frame opens in its place alone: not in another pack, at another offset, or as another kind")
    func place() throws {
        let cipher = SnapshotCipher(.random(), .random())
        let frames = (1...3).map { [UInt8](repeating: UInt8($0), count: 4096) }
        var (one, pointers) = pack(1, frames)
        cipher.seal(&one)
        for (pointer, frame) in zip(pointers, frames) {
            #expect(open(cipher, one, pointer) == frame)
            var elsewhere = pointer
            elsewhere.pack = PackName(Fixture.id(1), 2)
            #expect(open(cipher, one, elsewhere) == nil)
            elsewhere = pointer
            elsewhere.codec = .sealedZstd
            #expect(open(cipher, one, elsewhere) == nil)
            elsewhere = pointer
            elsewhere.plainLength -= 1
            #expect(open(cipher, one, elsewhere) == nil)
            #expect(open(SnapshotCipher(.random(), .random()), one, pointer) == nil)
        }
        // The second frame's bytes where the first one lies.
        var moved = one
        let size = pointers[0].storedLength
        moved.bytes.replaceSubrange(
            pointers[0].offset..<pointers[0].offset + size,
            with: one.bytes[pointers[1].offset..<pointers[1].offset + size])
        #expect(open(cipher, moved, pointers[0]) == nil)
    }

    @Test("sealing the same pack again, as after a lost upload, shares no key stream")
    func salts() throws {
        let cipher = SnapshotCipher(.random(), .random())
        let frame = [UInt8](repeating: 0, count: 4096)
        var (one, pointers) = pack(1, [frame, frame])
        var (two, _) = pack(1, [frame, frame])
        cipher.seal(&one)
        cipher.seal(&two)
        // Of zeros the ciphertext is the key stream: all four must differ everywhere but by chance.
        var streams: [[UInt8]] = []
        for pack in [one, two] {
            for pointer in pointers {
                streams.append(Array(pack.bytes[pointer.offset + 16..<pointer.offset + 16 + 4096]))
            }
        }
        for a in streams.indices {
            for b in a + 1..<streams.count {
                #expect(zip(streams[a], streams[b]).count { $0 == $1 } < 100)
            }
        }
        #expect(open(cipher, one, pointers[0]) == frame && open(cipher, two, pointers[0]) == frame)
        pointers.removeAll()
    }

    @Test("every byte of a sealed frame and footer counts")
    func tampering() throws {
        let cipher = SnapshotCipher(.random(), .random())
        var (one, pointers) = pack(1, [[UInt8](repeating: 5, count: 4096)])
        let footer = try #require(one.sealedFooter)
        cipher.seal(&one)
        for byte in pointers[0].offset..<pointers[0].offset + pointers[0].storedLength {
            var wrong = one
            wrong.bytes[byte] ^= 0x10
            #expect(open(cipher, wrong, pointers[0]) == nil, "byte \(byte)")
        }
        for byte in footer {
            var wrong = one.bytes
            wrong[byte] ^= 0x10
            let opened = wrong.readBytes(footer) {
                cipher.openFooter(of: one.footer.name, at: footer.lowerBound, $0)
            }
            #expect(opened == nil, "byte \(byte)")
        }
        let opened = one.bytes.readBytes(footer) { cipher.openFooter(of: one.footer.name, at: footer.lowerBound, $0) }
        #expect(opened == one.footer.body())
        pointers.removeAll()
    }

    @Test("a data key opens with its wrapping key alone, under its own name alone")
    func wrapping() throws {
        let dataKey = Secret.random(), key = Secret.random()
        var record = DataKeyRecord(id: .random(), created: 5, wraps: [])
        record.add(dataKey, for: KeyID(of: key), key)
        let read = try DataKeyRecord(decoding: record.encoded())
        #expect(read == record)
        let opened = try #require(read.open(read.wraps[0], key))
        #expect(opened.read { [UInt8](copying: $0) } == dataKey.read { [UInt8](copying: $0) })
        #expect(read.open(read.wraps[0], .random()) == nil)
        var renamed = read
        renamed.id = .random()
        #expect(renamed.open(read.wraps[0], key) == nil)
    }

    @Test("a wrapping key's name is that of a cloud's, follows from the key, and can be given short")
    func names() throws {
        let key = try secret(String(repeating: "01", count: 32))
        let id = KeyID(of: key)
        #expect(id == KeyID(of: try secret(String(repeating: "01", count: 32))))
        #expect(id.description.hasPrefix("arn:aws:kms:local:000000000000:key/"))
        #expect(KeyID(id.description) == id && KeyID(id.uuid) == id)
        for wrong in ["", "x", "arn:aws:kms:local:000000000000:key/", id.uuid.uppercased(), id.uuid + "0", "----"] {
            #expect(KeyID(wrong) == nil, "\(wrong)")
        }
        #expect("\(key)".contains("01") == false, "a secret does not show what it holds")
    }
}
