import Blocks
import Testing

@Suite struct ChecksumTests {
    /// RFC 3720, B.4, and the usual check value.
    static let vectors: [([UInt8], UInt32)] = [
        ([], 0),
        ([UInt8](repeating: 0, count: 32), 0x8a91_36aa),
        ([UInt8](repeating: 0xff, count: 32), 0x62a8_ab43),
        ([UInt8](0..<32), 0x46dd_794e),
        ([UInt8]((0..<32).reversed()), 0x113f_db5c),
        ([UInt8]("123456789".utf8), 0xe306_9283),
    ]

    @Test("agrees with the published values", arguments: vectors)
    func published(_ bytes: [UInt8], _ wanted: UInt32) {
        #expect(Checksum.crc32c(bytes) == wanted)
        #expect(bytes.readBytes { Checksum.crc32c($0) } == wanted)
    }

    @Test("continues over any split")
    func splits() {
        let bytes = [UInt8](0..<100)
        let whole = Checksum.crc32c(bytes)
        for cut in 0...100 {
            let parts = bytes.readBytes { span in
                Checksum.crc32c(
                    span.extracting(cut..<100), continuing: Checksum.crc32c(span.extracting(0..<cut)))
            }
            #expect(parts == whole, "cut at \(cut)")
        }
    }

    @Test("tells every flipped bit")
    func flips() {
        let bytes = [UInt8](0..<33)
        var seen: Set<UInt32> = [Checksum.crc32c(bytes)]
        for bit in 0..<33 * 8 {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(seen.insert(Checksum.crc32c(flipped)).inserted)
        }
    }
}
