import Blocks
import ControlPlane
import TestSupport
import Testing

@testable import ECSDialect

/// Two accounts at Alibaba's door: every action that there is, asked by one about the other's things.
@Suite struct IsolationTests {
    private struct Setting {
        let door: ECSDoor
        let stranger: Caller
        let disk: String
        let snapshot: String
        let instance: String
        let policy: String

        init() async throws {
            door = try await ECSDoor()
            var request = CreateVolume(size: .gibibytes(1), name: "secret-disk")
            request.tags = ["secret": "tag"]
            let volume = try await door.house.volumes.create(request).id
            let made = try await door.house.snapshots.create(
                CreateSnapshot(volume: volume, name: "secret-name", description: "secret", tags: ["secret": "tag"]))
            _ = try await door.house.snapshots.wait(for: made.id)
            disk = try #require(ECSID.name(volume, .disk))
            snapshot = try #require(ECSID.name(made.id, .snapshot))
            instance = try #require(ECSID.name(try await door.house.instances.launch(NewInstances())[0].id, .instance))
            let words = [
                "autoSnapshotPolicyName": "secret", "repeatWeekdays": "[1]", "timePoints": "[1]", "retentionDays": "-1",
            ]
            policy = try await door.ask("CreateAutoSnapshotPolicy", words).text("AutoSnapshotPolicyId")
            let account = try await door.house.accounts.create(named: "others").id
            stranger = Caller(account: account, principal: "eve", role: .administrator)
        }

        /// Every parameter by which an action may name something; of the owner's, or of nobody's.
        func parameters(isOwners: Bool) -> [String: String] {
            let disk = isOwners ? disk : "d-00000000000000000000"
            let snapshot = isOwners ? snapshot : "s-00000000000000000000"
            let instance = isOwners ? instance : "i-00000000000000000000"
            return [
                "DiskId": disk, "SnapshotId": snapshot, "InstanceId": instance, "DiskIds": "[\"\(disk)\"]",
                "SnapshotIds": "[\"\(snapshot)\"]", "InstanceIds": "[\"\(instance)\"]", "ResourceType": "disk",
                "ResourceId.1": disk, "Tag.1.Key": "new", "Tag.1.Value": "tag", "NewSize": "30", "DiskName": "new",
                "SnapshotName": "new", "ZoneId": door.zone, "TagKey.1": "secret", "DataDisk.1.SnapshotId": snapshot,
                "DiskId.1": disk, "SnapshotGroupId": "ssg-00000000000000000000", "Disk.1.DiskId": disk,
                "Disk.1.SnapshotId": snapshot, "LockMode": "compliance", "LockDuration": "1", "Category": "archive",
                "DestinationRegionId": door.house.region.name, "DestinationSnapshotName": "new",
                "DestinationSnapshotDescription": "new", "ImageName": "new", "ImageId": "m-00000000000000000000",
                "autoSnapshotPolicyId": isOwners ? policy : "sp-00000000000000000000", "diskIds": "[\"\(disk)\"]",
                "repeatWeekdays": "[\"1\"]", "timePoints": "[\"1\"]", "retentionDays": "9",
                "ResourceId": disk, "TaskId": "t-\(snapshot.dropFirst(2))",
                "SnapshotLinkIds": "[\"sl-\(disk.dropFirst(2))\"]",
            ]
        }

        /// Lists are asked for whole, whatever resource group is meant to be joined.
        func parameters(of action: String, isOwners: Bool) -> [String: String] {
            let more = action == "JoinResourceGroup" ? ["ResourceGroupId": "rg-1"] : [:]
            return parameters(isOwners: isOwners).merging(more) { $1 }
        }

        func withoutIDs(_ text: String) -> String {
            var text = text
            for id in [disk, snapshot, instance, policy] { text = text.replacing(id, with: "ID") }
            for kind in ["d", "s", "i", "sp"] { text = text.replacing("\(kind)-00000000000000000000", with: "ID") }
            return text
        }
    }

    @Test("no action tells a stranger whether something of another account exists, or changes it")
    func stranger() async throws {
        let setting = try await Setting()
        for action in ECSDialect.actions.values.sorted(by: { $0.name < $1.name }) {
            let owners = await setting.door.raw(
                action.name, setting.parameters(of: action.name, isOwners: true), for: setting.stranger)
            let nobodys = await setting.door.raw(
                action.name, setting.parameters(of: action.name, isOwners: false), for: setting.stranger)
            #expect(owners.status == nobodys.status, "\(action.name)")
            #expect(!owners.body.contains("secret"), "\(action.name) shows what is not the caller's")
            // What is the stranger's own after this has an id of its own each time.
            guard owners.status != 200 || !action.isChange else { continue }
            #expect(setting.withoutIDs(owners.body) == setting.withoutIDs(nobodys.body), "\(action.name)")
        }
        let house = setting.door.house
        let volume = try #require(try await house.volumes.list().first)
        #expect(try await house.volumes.list().count == 1 && volume.name == "secret-disk")
        #expect(volume.tags == ["secret": "tag"] && volume.sizeBytes == 1 << 30 && volume.attachment == nil)
        let snapshot = try #require(try await house.snapshots.list().first)
        #expect(try await house.snapshots.list().count == 1 && snapshot.name == "secret-name")
        #expect(try await house.instances.list().map(\.state) == [.running])
        let policy = try #require(try await house.policies.list().first?.plan)
        #expect(policy.name == "secret" && policy.targets.ids.isEmpty && policy.schedules[0].retention == .forever)
    }

    @Test("a reader may look and change nothing, and every change leaves one event")
    func reader() async throws {
        let setting = try await Setting()
        let reader = Caller(account: "100000000000", principal: "ann", role: .reader)
        var last = try await setting.door.house.events.list(EventFilter()).first?.number ?? 0
        for action in ECSDialect.actions.values.sorted(by: { $0.name < $1.name }) {
            let reply = try await setting.door.ask(
                action.name, setting.parameters(of: action.name, isOwners: false), for: reader)
            #expect((reply.code == "Forbidden.RAM") == action.isChange, "\(action.name): \(reply.fields)")
            let events = try await setting.door.house.events.list(EventFilter()).filter { $0.number > last }
            #expect(events.count == (action.isChange ? 1 : 0), "\(action.name)")
            last = max(last, events.first?.number ?? 0)
            guard let event = events.first else { continue }
            #expect(event.action == action.name && event.outcome == "Forbidden.RAM" && event.door == "ecs")
        }
    }
}
