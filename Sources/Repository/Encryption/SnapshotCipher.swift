internal import Blocks

/// Encrypts and opens what the snapshots of one lineage store, under their data key. Thread-safe.
///
/// ```
/// sealed     = salt:16 ciphertext tag:16
/// pack key   = HMAC-SHA256(data key, "varve pack" 0 salt snapshot "/" number)
/// nonce      = 4 zeros, the sealed bytes' offset in the pack as u64 big-endian
/// context    = codec, plain length as u64 big-endian  (a frame) | "VARVEND2"  (a footer)
/// ```
/// See docs/formats.md, "Sealed frames".
///
/// **No nonce is used twice under one key.** A pack key belongs to one salt and one pack's name. ``seal(_:)`` seals one
/// whole pack, draws a salt for that alone, and uses each offset once, since frames lie back to back and the footer behind
/// them. Packs of different names have different keys whatever their salts. The same name is sealed again only when an
/// upload died before its pack was seen in the store, a handful of times at most, each with 128 fresh random bits. So
/// nothing durable has to be counted, and nothing goes wrong when a number comes up again.
///
/// **A sealed frame opens only in its place**: its key comes from the pack's name and its nonce from the offset. That the
/// place holds the content that a pointer means, and not that of another try at the same pack, says the keyed digest.
final class SnapshotCipher: Sendable {
    static let saltBytes = 16
    /// What sealing adds.
    static let overhead = saltBytes + AESGCM.tagBytes

    let id: DataKeyID
    private let dataKey: Secret
    private let digestKey: Secret
    private let manifestKey: Secret

    init(_ id: DataKeyID, _ dataKey: Secret) {
        self.id = id
        self.dataKey = dataKey
        digestKey = KeyedHash.derive(dataKey, "varve digest")
        manifestKey = KeyedHash.derive(dataKey, "varve manifest")
    }

    /// The digest of plain bytes: equal for equal content of one lineage, and telling nothing to who lacks the key.
    func digest(of plain: RawSpan) -> Digest { KeyedHash.mac(digestKey, of: plain) }

    /// What authenticates a manifest whose JSON has this SHA-256.
    func mac(of sum: Digest) -> Digest {
        sum.bytes.readBytes(0..<Digest.byteCount) { KeyedHash.mac(manifestKey, of: $0) }
    }

    // MARK: Packs

    /// Encrypts a pack's sealed frames and its footer, where they lie.
    func seal(_ pack: inout SealedPack) {
        guard let footer = pack.sealedFooter else { preconditionFailure("this pack was not made to be sealed") }
        let salt = RandomBytes.make(SnapshotCipher.saltBytes)
        let key = packKey(salt, pack.footer.name)
        var end = PackFooter.header.count
        for entry in pack.footer.entries {
            precondition(entry.offset == end, "frames lie back to back: no offset comes twice")
            end += entry.storedLength
            guard entry.codec.isSealed else { continue }
            let context = SnapshotCipher.context(entry.codec, entry.plainLength)
            seal(&pack.bytes, entry.offset..<end, key, salt, context)
        }
        precondition(footer.lowerBound == end && pack.sealedFooter != nil)
        seal(&pack.bytes, footer, key, salt, PackFooter.sealedTrailerMagic)
        let trailer = pack.bytes.readBytes(footer) { PackFooter.trailer(of: $0, isSealed: true) }
        pack.bytes.replaceSubrange(footer.upperBound..., with: trailer)
        // Sealing it again would encrypt what is encrypted.
        pack.sealedFooter = nil
    }

    private func seal(
        _ bytes: inout [UInt8], _ place: Range<Int>, _ key: Secret, _ salt: [UInt8], _ context: [UInt8]
    ) {
        let content = place.lowerBound + SnapshotCipher.saltBytes..<place.upperBound - AESGCM.tagBytes
        let tag = AESGCM.seal(
            &bytes, content, key, nonce: SnapshotCipher.nonce(at: place.lowerBound), context: context)
        for (index, byte) in salt.enumerated() { bytes[place.lowerBound + index] = byte }
        for (index, byte) in tag.enumerated() { bytes[content.upperBound + index] = byte }
    }

    /// A frame's stored form before it was sealed; nil if any byte is not what was sealed in this place.
    func openFrame(_ pointer: FramePointer, _ stored: RawSpan) -> [UInt8]? {
        open(
            stored, pointer.pack, at: pointer.offset, SnapshotCipher.context(pointer.codec, pointer.plainLength))
    }

    /// A footer before it was sealed, or nil.
    func openFooter(of pack: PackName, at offset: Int, _ stored: RawSpan) -> [UInt8]? {
        open(stored, pack, at: offset, PackFooter.sealedTrailerMagic)
    }

    private func open(_ stored: RawSpan, _ pack: PackName, at offset: Int, _ context: [UInt8]) -> [UInt8]? {
        guard stored.byteCount > SnapshotCipher.overhead else { return nil }
        let content = SnapshotCipher.saltBytes..<stored.byteCount - AESGCM.tagBytes
        let salt = [UInt8](copying: stored.extracting(0..<SnapshotCipher.saltBytes))
        let tag = [UInt8](copying: stored.extracting(content.upperBound..<stored.byteCount))
        return AESGCM.open(
            stored.extracting(content), tag: tag, packKey(salt, pack), nonce: SnapshotCipher.nonce(at: offset),
            context: context)
    }

    private func packKey(_ salt: [UInt8], _ name: PackName) -> Secret {
        KeyedHash.derive(dataKey, "varve pack", salt + Array("\(name.snapshot.text)/\(name.number)".utf8))
    }

    private static func nonce(at offset: Int) -> [UInt8] { [0, 0, 0, 0] + bigEndian(offset) }

    private static func context(_ codec: FrameCodec, _ plainLength: Int) -> [UInt8] {
        [codec.rawValue] + bigEndian(plainLength)
    }

    private static func bigEndian(_ value: Int) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) }
    }
}
