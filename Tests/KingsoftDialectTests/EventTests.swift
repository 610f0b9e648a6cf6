import ControlPlane
import Testing

@testable import KingsoftDialect

/// Whatever changes something at Kingsoft's door leaves an event.
@Suite struct EventTests {
    @Test("every action that is a change leaves one event with its code, and no other does")
    func everyAction() async throws {
        let counter = try await Counter("varve-kingsoft-events") { $0.refusalsKept = 1000 }
        let reader = Caller(account: "100000000000", principal: "ann", role: .reader)
        let none = "00000000-0000-4000-8000-000000000000"
        let parameters = Dictionary(
            uniqueKeysWithValues: [
                "VolumeId", "SnapshotId", "InstanceId", "ImageId", "AutoSnapshotPolicyId", "AttachVolumeId.1",
                "SnapshotIds.1", "VolumeType",
            ].map { ($0, none) })
        var last = 0
        for (key, action) in KingsoftDialect.actions.sorted(by: { $0.key < $1.key }) {
            for caller in [Caller.root, reader] {
                let said = try await counter.ask(key.name, action.isChange ? parameters : [:], key.service, as: caller)
                let found = try await counter.house.events.list().filter { $0.number > last }
                #expect(found.count == (action.isChange ? 1 : 0), "\(key.name): \(said.body)")
                last = max(last, found.first?.number ?? 0)
                guard let event = found.first else { continue }
                #expect(event.action == key.name && event.door == key.service.rawValue && event.requestId == "request")
                #expect(said.code == (event.outcome == "ok" ? nil : event.outcome), "\(key.name): \(said.body)")
            }
        }
        #expect(last > 20)
        await counter.house.close()
    }
}
