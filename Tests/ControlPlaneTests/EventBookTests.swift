import Blocks
import Catalog
import Simulation
import TestSupport
import Testing

@testable import ControlPlane

/// How many events there are at most.
@Suite struct EventBookTests {
    @Test("each account's oldest go beyond its own number, in steps; nobody pushes another's out; and all go by age")
    func bounds() async throws {
        let clock = ManualClock()
        let fixture = try await HouseFixture { $0.clock = clock }
        let house = fixture.house.household, now = clock.now()
        func left(_ account: String) async throws -> [String] {
            let selection = EventSelection(limit: 100)
            return try await house.catalog.change { try $0.events(of: account, selection) }.map(\.verb)
        }
        try await house.catalog.change { session in
            for number in 0..<7 {
                try session.insert(EventRecord.own("loud.\(number)", [], because: "test", of: "2", at: now))
            }
            try session.insert(EventRecord.own("quiet.0", ["vol-1"], because: "test", of: "3", at: now))
        }
        var steps: [Int] = []
        repeat {
            steps.append(try await house.catalog.change { try $0.deleteEvents(of: "2", allBut: 3, limit: 3) })
        } while steps.last == 3
        #expect(steps == [3, 1])
        #expect(try await left("2") == ["loud.6", "loud.5", "loud.4"])
        #expect(try await left("3") == ["quiet.0"])
        #expect(try await house.catalog.change { try $0.accountsWithEvents() }.sorted() == ["2", "3"])
        try await house.forgetOldEvents()
        #expect(try await left("2").count == 3, "there are not too many")
        clock.advance(by: house.eventsKept + .seconds(1))
        try await house.forgetOldEvents()
        let rest = (try await left("2"), try await left("3"))
        #expect(rest.0.isEmpty && rest.1.isEmpty)
        await fixture.house.close()
    }
}
