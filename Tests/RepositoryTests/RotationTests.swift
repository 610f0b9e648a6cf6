import Blocks
import ObjectStore
import Repository
import Testing

/// Rotation over a store that fails at every call in turn.
@Suite struct RotationTests {
    private func ring(_ bytes: UInt8...) -> Keyring {
        let ring = Keyring()
        for byte in bytes {
            var key = [UInt8](repeating: byte, count: 32)
            ring.add(key: &key)
        }
        return ring
    }

    private func opens(_ store: any ObjectStore, _ byte: UInt8, _ ids: [DataKeyID]) throws -> [Bool] {
        let repository = try Repository.open(store, options: RepositoryOptions(keyring: ring(byte)))
        return try ids.map { id in
            do {
                try repository.open(id)
                return true
            } catch RepositoryFailure.keyMissing { return false }
        }
    }

    @Test(
        "whatever call fails, each data key is opened by the old key until all are by the new one, and it can be repeated",
        arguments: [FaultyStore.Fault.transient, .permanent, .lostResponse, .truncatedRead, .flippedBit])
    func everyCall(_ fault: FaultyStore.Fault) throws {
        var failing = 1
        while true {
            let store = MemoryStore()
            let both = RepositoryOptions(keyring: ring(1, 2))
            let repository = try Repository.openOrCreate(store, options: both)
            let ids = try (0..<3).map { _ in try repository.makeDataKey().id }
            let target = try #require(both.keyring.ids.last)
            let call = failing
            let faulty = FaultyStore(store) { $0.number == call ? fault : nil }
            var hasFailed = false
            do {
                let report = try Repository.open(faulty, options: RepositoryOptions(keyring: ring(1, 2)))
                    .rotate(to: target)
                #expect(report.rotated == 3 || call <= faulty.calls)
            } catch { hasFailed = true }
            let old = try opens(store, 1, ids), new = try opens(store, 2, ids)
            #expect(zip(old, new).allSatisfy { $0 || $1 }, "call \(call): a data key is lost")
            if old.contains(false) { #expect(new == [true, true, true], "call \(call): old wraps went too early") }
            #expect(try repository.rotate(to: target).locked == [])
            #expect(try opens(store, 2, ids) == [true, true, true])
            #expect(try opens(store, 1, ids) == [false, false, false])
            if !hasFailed, faulty.calls < call { break }
            failing += 1
        }
        #expect(failing > 10)
    }

    @Test("what no key at hand opens is left alone, and what another key wraps too if the old one is named")
    func others() throws {
        let store = MemoryStore()
        let mine = try Repository.openOrCreate(store, options: RepositoryOptions(keyring: ring(1)))
        let theirs = try Repository.open(store, options: RepositoryOptions(keyring: ring(9)))
        let one = try mine.makeDataKey(), other = try theirs.makeDataKey()
        let both = try Repository.open(store, options: RepositoryOptions(keyring: ring(1, 2)))
        let target = try both.heldKeys()[1]
        let report = try both.rotate(to: target)
        #expect(report.rotated == 1 && report.locked == [other.id])
        #expect(try opens(store, 9, [other.id]) == [true])
        #expect(try both.dataKeys().first { $0.id == one.id }?.wrappedBy == [target])
        let all = try Repository.open(store, options: RepositoryOptions(keyring: ring(2, 9, 3)))
        let named = try all.rotate(to: all.heldKeys()[2], from: target)
        #expect(named.rotated == 1 && named.untouched == 1)
        #expect(try opens(store, 9, [other.id]) == [true])
        #expect(throws: RepositoryFailure.self) { try mine.rotate(to: target) }
    }
}
