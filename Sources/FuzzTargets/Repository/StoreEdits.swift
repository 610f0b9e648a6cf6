internal import Blocks
internal import ObjectStore
@testable internal import Repository

/// What someone without keys can do to the objects of a store.
struct StoreEdits {
    private var objects: [(key: String, bytes: [UInt8])]
    /// How many kinds of edits there are.
    static let kinds: UInt8 = 8

    init(_ objects: [(key: String, bytes: [UInt8])]) { self.objects = objects }

    /// One edit, after which the checksums of what was edited are right again, mostly.
    mutating func edit(_ input: inout FuzzInput) {
        let kind = input.choice(Int(Self.kinds)), object = input.choice(objects.count)
        let at = place(&input, objects[object].bytes.count)
        switch kind {
        case 0: if at < objects[object].bytes.count { objects[object].bytes[at] ^= 1 << (input.byte() & 7) }
        case 1: objects[object].bytes.removeSubrange(at...)
        case 2: objects[object].bytes = objects[input.choice(objects.count)].bytes
        case 3: swap(object, input.choice(objects.count))
        case 4: move(to: object, at, &input)
        case 5: rewrite(object, from: input.piece(), to: input.piece())
        case 6: objects[object].bytes = input.piece()
        default: if objects.count > 1 { objects.remove(at: object) }
        }
        if object < objects.count, input.choice(8) < 6 { objects[object].bytes = Self.summed(objects[object].bytes) }
    }

    private func place(_ input: inout FuzzInput, _ count: Int) -> Int {
        min(count, Int(input.number(UInt16.self)))
    }

    private mutating func swap(_ a: Int, _ b: Int) {
        (objects[a].bytes, objects[b].bytes) = (objects[b].bytes, objects[a].bytes)
    }

    /// Bytes of one object over those of another.
    private mutating func move(to object: Int, _ at: Int, _ input: inout FuzzInput) {
        let source = objects[input.choice(objects.count)].bytes
        let part = source.dropFirst(place(&input, source.count)).prefix(Int(input.number(UInt16.self)))
        let end = min(objects[object].bytes.count, at + part.count)
        objects[object].bytes.replaceSubrange(at..<end, with: part)
    }

    /// Replaces the first occurrence of `old`.
    private mutating func rewrite(_ object: Int, from old: [UInt8], to new: [UInt8]) {
        guard !old.isEmpty, let found = objects[object].bytes.firstRange(of: old) else { return }
        objects[object].bytes.replaceSubrange(found, with: new)
    }

    /// With every checksum right that needs no key: the second line of a record, the trailer of a pack.
    private static func summed(_ bytes: [UInt8]) -> [UInt8] {
        if bytes.starts(with: Array("VARVPCK".utf8)) {
            guard let trailer = try? PackFooter.trailer(Array(bytes.suffix(PackFooter.trailerBytes))) else {
                return bytes
            }
            let rest = bytes.dropLast(PackFooter.trailerBytes)
            let footer = Array(rest.suffix(trailer.length))
            return rest + footer.readBytes(0..<footer.count) { PackFooter.trailer(of: $0, isSealed: trailer.isSealed) }
        }
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return bytes }
        let sealed = SealedText.sealed(Array(bytes[..<end]))
        return sealed + bytes.dropFirst(sealed.count)
    }

    func store() throws -> MemoryStore {
        let store = MemoryStore()
        for (key, bytes) in objects {
            try bytes.readBytes { (span) throws(StoreFailure) in try store.put(span, at: key) }
        }
        return store
    }
}
