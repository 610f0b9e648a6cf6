import Blocks
import Testing

@Suite struct MemoryTests {
    @Test("mapped words start at zero and combine bit by bit")
    func words() {
        let memory = MappedMemory(anonymous: 8192)
        #expect(memory.wordCount == 1024)
        #expect(memory.load(1023) == 0)
        #expect(memory.fetchOr(1023, 0b110) == 0)
        #expect(memory.fetchAnd(1023, 0b011) == 0b110)
        #expect(memory.load(1023) == 0b010)
    }

    @Test("no bit set by another thread is lost")
    func atomicity() {
        let memory = MappedMemory(anonymous: 4096)
        let threads = (0..<8).map { part in
            OSThread(name: "bits") {
                for bit in 0..<8 {
                    for word in 0..<512 { memory.fetchOr(word, 1 << UInt64(part * 8 + bit)) }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect((0..<512).allSatisfy { memory.load($0) == .max })
    }

    @Test("memory can stand on another one's, and writes back as told")
    func sharing() throws {
        let whole = MappedMemory(anonymous: 8192)
        let calls = Guarded(0)
        let part = MappedMemory(sharing: whole, count: 4096) { calls.withLock { $0 += 1 } }
        part.fetchOr(3, 9)
        #expect(whole.load(3) == 9)
        #expect(part.wordCount == 512)
        try part.sync()
        #expect(calls.withLock { $0 } == 1)
    }

    @Test("access out of bounds stops the process")
    func bounds() async {
        await #expect(processExitsWith: .failure) { _ = MappedMemory(anonymous: 4096).load(512) }
        await #expect(processExitsWith: .failure) { MappedMemory(anonymous: 4096).fetchOr(-1, 1) }
        await #expect(processExitsWith: .failure) { _ = MappedMemory(anonymous: 100) }
        await #expect(processExitsWith: .failure) { AlignedBuffer(count: 10).read(0..<11) { _ in } }
    }

    @Test("an aligned buffer starts at zero and keeps what is written")
    func aligned() {
        var buffer = AlignedBuffer(count: 5000)
        #expect(buffer.read(0..<5000) { $0.isAllZero })
        buffer.write(4999..<5000) { $0.storeBytes(of: 7, as: UInt8.self) }
        #expect(buffer.read(0..<4999) { $0.isAllZero })
        #expect(!buffer.read(0..<5000) { $0.isAllZero })
        let isAligned = buffer.read(0..<1) { span in
            unsafe span.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) % 4096 == 0 }
        }
        #expect(isAligned)
    }

    @Test("all zero means every byte, at every place and length")
    func zeros() {
        for length in [0, 1, 7, 63, 64, 65, 127, 128, 200] {
            var bytes = [UInt8](repeating: 0, count: length)
            #expect(bytes.readBytes { $0.isAllZero })
            for place in 0..<length {
                bytes[place] = 0x80
                #expect(!bytes.readBytes { $0.isAllZero }, "byte \(place) of \(length)")
                bytes[place] = 0
            }
        }
    }
}
