import Blocks
import ObjectStore
import Testing

@testable import Repository

@Suite struct HealedPacksTests {
    @Test("many nodes go into several packs, and each can be read again", arguments: [false, true])
    func manyNodes(_ isEncrypted: Bool) throws {
        let fixture = try Fixture(isEncrypted: isEncrypted)
        var access = fixture.repository.access
        if let key = fixture.dataKey { access = access.opened(with: try fixture.repository.vault.cipher(key)) }
        var packs = HealedPacks(Fixture.id(1), after: 6, access)
        var pointers: [FramePointer] = []
        // More than fits into the longest pack that readers believe in, and nothing that compresses.
        var plain = (1...1024).flatMap { TestImage.block(UInt64($0)) }
        for number in 0..<17 {
            plain[0] = UInt8(number)
            pointers.append(try packs.append(plain, .node(level: 0, number: number)))
        }
        try packs.put()
        #expect(packs.sizes.count >= 4 && packs.sizes.keys.allSatisfy { $0.number > 6 })
        #expect(packs.sizes.values.allSatisfy { $0 <= Limits.packBytes + plain.count + 65_536 })
        for (number, pointer) in pointers.enumerated() {
            #expect(pointer.offset <= Limits.packBytesMax)
            #expect(pointer.offset + pointer.storedLength <= packs.sizes[pointer.pack] ?? 0)
            plain[0] = UInt8(number)
            let found = try access.plain(of: pointer, blocks: nil)
            let isSame = found == plain
            #expect(isSame, "node \(number)")
        }
    }
}
