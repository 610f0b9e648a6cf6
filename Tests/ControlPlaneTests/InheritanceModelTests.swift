import Blocks
import Catalog
import Repository
import Simulation
import TestSupport
import Testing

@testable import ControlPlane

/// For whom bytes of deleted snapshots count after anything may have happened, against a plain recount of all that the store says.
@Suite struct InheritanceModelTests {
    /// What happens, and whose what was stored is.
    private struct Story {
        let fixture: HouseFixture
        let clock: ManualClock
        let others: (id: String, verbs: Verbs)
        var random: SeededRandom
        var volumes: [String] = []
        /// By snapshot, deleted ones among them.
        var authors: [String: String] = [:]
        var living: [String] = []

        mutating func note(_ id: String, of account: String) {
            authors[id] = account
            living.append(id)
            // Each is younger than the one before.
            clock.advance(by: .seconds(1))
        }

        mutating func take() async throws {
            guard let volume = volumes.randomElement(using: &random) else { return }
            let start = Int.random(in: 0..<200, using: &random)
            let end = start + Int.random(in: 1...50, using: &random)
            try await fixture.write(volume, start..<end, UInt8.random(in: 1...255, using: &random))
            note(try await fixture.snapshot(volume), of: AccountRecord.first)
        }

        /// A volume made of a snapshot, which goes on in its lineage.
        mutating func clone() async throws {
            let own = living.filter { authors[$0] == AccountRecord.first }
            guard volumes.count < 3, let source = own.randomElement(using: &random) else { return }
            let made = try await fixture.volumes.create(CreateVolume(size: nil, origin: .snapshot(source))).id
            _ = try await fixture.volumes.attach(made)
            volumes.append(made)
        }

        /// One account's snapshot, copied by the other.
        mutating func copy() async throws {
            guard let source = living.randomElement(using: &random) else { return }
            let isOwn = authors[source] == AccountRecord.first
            let (giver, taker) =
                isOwn ? (fixture.snapshots, others.verbs.snapshots) : (others.verbs.snapshots, fixture.snapshots)
            let account = isOwn ? others.id : AccountRecord.first
            _ = try await giver.share(source, SharingChange(adding: [account]))
            note(try await taker.wait(for: taker.copy(CopySnapshot(source)).id).id, of: account)
        }

        mutating func delete() async throws {
            guard living.count > 1, let id = living.randomElement(using: &random) else { return }
            try await (authors[id] == AccountRecord.first ? fixture.snapshots : others.verbs.snapshots).delete(id)
            living.removeAll { $0 == id }
        }

        /// What is to count for each, by everything there is.
        func expected() async throws -> [String: Int] {
            let household = fixture.house.household, living = living
            let needs = try await onThread {
                let repository = try household.door.repository()
                return try living.map { try repository.needs(of: StoreDoor.id($0)).packs }
            }
            var expected = Dictionary(uniqueKeysWithValues: living.map { ($0, 0) })
            for pack in Set(needs.flatMap(\.keys)) where !living.contains(pack.snapshot.text) {
                let heirs = living.indices.filter { needs[$0][pack] != nil }
                let heir = heirs.first { authors[living[$0]] == authors[pack.snapshot.text] } ?? heirs[0]
                expected[living[heir], default: 0] += heirs.compactMap { needs[$0][pack]?.bytes }.max() ?? 0
            }
            return expected
        }
    }

    @Test(
        "whatever is taken, cloned, copied and deleted: each byte of a deleted one counts once, for the oldest of its account that needs it",
        arguments: [1, 2, 3] as [UInt64])
    func model(seed: UInt64) async throws {
        let clock = ManualClock(at: UsageTests.start)
        let fixture = try await UsageTests.fixture(clock)
        var story = Story(
            fixture: fixture, clock: clock, others: try await fixture.otherAccount(), random: SeededRandom(seed: seed))
        story.volumes.append(try await fixture.volume())
        var inherited = 0
        for round in 1...6 {
            for _ in 0..<6 {
                switch Int.random(in: 0..<10, using: &story.random) {
                case 0..<4: try await story.take()
                case 4: try await story.clone()
                case 5, 6: try await story.copy()
                default: try await story.delete()
                }
            }
            try await InheritanceTests.count(fixture, clock)
            let expected = try await story.expected()
            for (id, bytes) in expected {
                let found = try await InheritanceTests.inherited(id, fixture)
                #expect(found == bytes, "seed \(seed), round \(round), \(id)")
                inherited += found
            }
        }
        #expect(inherited > 0, "seed \(seed): nothing was inherited, so nothing was tested")
        await fixture.house.close()
    }
}
