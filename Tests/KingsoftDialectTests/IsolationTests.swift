import Blocks
import ControlPlane
import Foundation
import Testing

@testable import KingsoftDialect

/// Two accounts at Kingsoft's door: every action that there is, asked by one about the other's things.
@Suite struct IsolationTests {
    private static let nobodys = (
        volume: "vol-00123456789abcdef", snapshot: "snap-00123456789abcdef", instance: "i-00123456789abcdef",
        image: "ami-00123456789abcdef", policy: "policy-00123456789abcdef"
    )

    private struct Things {
        var volume: String
        var snapshot: String
        var instance: String
        var image: String
        var policy: String

        init(_ ids: (volume: String, snapshot: String, instance: String, image: String, policy: String)) throws {
            volume = try #require(KingsoftID.uuid(ids.volume, .volume))
            snapshot = try #require(KingsoftID.uuid(ids.snapshot, .snapshot))
            instance = try #require(KingsoftID.uuid(ids.instance, .instance))
            image = try #require(KingsoftID.uuid(ids.image, .image))
            policy = try #require(KingsoftID.uuid(ids.policy, .policy))
        }

        func hidden(in text: String) -> String {
            var text = text
            for (id, word) in [
                (volume, "VOLUME"), (snapshot, "SNAPSHOT"), (instance, "INSTANCE"), (image, "IMAGE"),
                (policy, "POLICY"),
            ] {
                text = text.replacingOccurrences(of: id, with: word)
            }
            return text
        }

        /// Every parameter by which an action may name something, with some of the things.
        func parameters(_ kinds: Set<KingsoftID.Kind>) -> [String: String] {
            var all = [
                "AvailabilityZone": Counter.zone, "VolumeType": "SSD3.0", "Size": "20", "Name": "copy",
                "AutoSnapshotTime": "3", "AutoSnapshotDate.1": "1", "VolumeName": "name", "SnapshotName": "name",
                "Permission": "share", "AccountId.1": "100000000000",
                "PerformanceLevelVolumeCategory": "ESSD_PL1", "ProjectId": "0", "BillType": "87", "PurchaseTime": "1",
                "ResourceType": "volume", "Tag_1_Key": "key", "DestinationRegion.1": "cn-shanghai-2",
            ]
            if kinds.contains(.volume) {
                for name in ["VolumeId", "AttachVolumeId.1", "DataDiskIds.1", "ReplaceTags.1.ResourceUuids"] {
                    all[name] = volume
                }
            }
            if kinds.contains(.snapshot) {
                for name in ["SnapshotId", "SnapshotIds.1", "SourceSnapshotId", "DataDisk.1.SnapshotId"] {
                    all[name] = snapshot
                }
            }
            if kinds.contains(.instance) { all["InstanceId"] = instance }
            if kinds == [.volume] { all["InstanceId"] = volume }
            if kinds.contains(.image) { all["ImageId"] = image }
            if kinds.contains(.policy) { all["AutoSnapshotPolicyId"] = policy }
            return all
        }
    }

    private func setting() async throws -> (Counter, Things, stranger: Caller) {
        let counter = try await Counter("varve-kingsoft-isolation") {
            $0.moreRegions = [RegionPlan(region: Region(name: "cn-shanghai-2"))]
        }
        let house = counter.house
        var request = CreateVolume(size: .gibibytes(10), name: "secret")
        request.tags = ["secret": "tag"]
        let volume = try await house.volumes.create(request).id
        let snapshot = try await house.snapshots.create(
            CreateSnapshot(volume: volume, name: "secret", description: "secret")
        ).id
        _ = try await house.snapshots.wait(for: snapshot)
        let instance = try await house.instances.launch(NewInstances())[0].id
        let disk = NewImage.Disk("/dev/sda1", snapshot: snapshot)
        let image = try await house.images.register(
            NewImage(ImageNames("secret"), rootDevice: disk.device, disks: [disk])
        ).id
        let plan = PolicyPlan(
            name: "secret", targets: PolicyPlan.Targets(.volumes, ids: [volume]),
            schedules: [PolicyPlan.Schedule("daily", .every(hours: 24, from: TimeOfDay(minutes: 0)), keeping: .forever)]
        )
        let policy = try await house.policies.create(plan, isEnabled: false).id
        let account = try await house.accounts.create(named: "others").id
        let stranger = Caller(account: account, principal: "eve", role: .administrator)
        return (counter, try Things((volume, snapshot, instance, image, policy)), stranger)
    }

    @Test("no action tells a stranger whether something of another account exists, or changes it")
    func nothingLeaks() async throws {
        let (counter, theirs, stranger) = try await setting()
        let none = try Things(Self.nobodys)
        for (key, _) in KingsoftDialect.actions.sorted(by: { $0.key < $1.key }) {
            for kinds in [
                [.volume], [.snapshot], [.instance], [.image], [.policy], [.volume, .snapshot], [.volume, .instance],
                [.volume, .policy], [],
            ]
                as [Set<KingsoftID.Kind>]
            {
                var known = theirs.parameters(kinds), unknown = none.parameters(kinds)
                // Looking actions refuse what they do not know.
                let probe = try await counter.ask(key.name, known, key.service, as: stranger)
                if probe.code == "UnsupportedParameter" {
                    let names = [
                        "VolumeId", "SnapshotId", "InstanceId", "ImageId", "AutoSnapshotPolicyId", "AvailabilityZone",
                        "VolumeType", "SourceSnapshotId",
                    ]
                    for name in names {
                        var one = known.filter { $0.key == name }, two = unknown.filter { $0.key == name }
                        if name == "InstanceId" || name == "AvailabilityZone" {
                            one["VolumeType"] = known["VolumeType"]
                            two["VolumeType"] = known["VolumeType"]
                        }
                        let first = try await counter.ask(key.name, one, key.service, as: stranger)
                        let second = try await counter.ask(key.name, two, key.service, as: stranger)
                        #expect(
                            first.status == second.status && first.status < 500
                                && theirs.hidden(in: first.body) == none.hidden(in: second.body),
                            "\(key.name) \(name): \(first.body) \(second.body)")
                        #expect(!first.body.contains("secret"), "\(key.name)")
                    }
                    known = [:]
                    unknown = [:]
                }
                let first = try await counter.ask(key.name, known, key.service, as: stranger)
                let second = try await counter.ask(key.name, unknown, key.service, as: stranger)
                #expect(
                    first.status == second.status && first.status < 500, "\(key.name): \(first.body) \(second.body)")
                #expect(!first.body.contains("secret"), "\(key.name): \(first.body)")
                // What makes something of the stranger's own names it.
                if first.code != nil {
                    #expect(
                        theirs.hidden(in: first.body) == none.hidden(in: second.body),
                        "\(key.name): \(first.body) \(second.body)")
                }
                for id in [theirs.volume, theirs.snapshot, theirs.instance, theirs.image, theirs.policy]
                where !known.values.contains(id) {
                    #expect(!first.body.contains(id), "\(key.name): \(first.body)")
                }
            }
        }
        try await unchanged(counter, theirs)
        await counter.house.close()
    }

    private func unchanged(_ counter: Counter, _ theirs: Things) async throws {
        let house = counter.house
        let volume = try #require(try await house.volumes.list().first)
        #expect(volume.name == "secret" && volume.sizeBytes == 10 << 30 && volume.tags == ["secret": "tag"])
        #expect(volume.state == .available)
        let snapshot = try #require(try await house.snapshots.list().first)
        #expect(snapshot.name == "secret" && snapshot.sharing == nil)
        #expect(try await house.instances.list().map(\.state) == [.running])
        #expect(try await house.images.list().map(\.name) == ["secret"])
        #expect(try await house.policies.list().map(\.plan?.targets.ids) == [[volume.id]])
    }

    @Test("a reader changes nothing, a request on trial neither, and no client's mistake is the server's fault")
    func readersAndMistakes() async throws {
        let (counter, own, _) = try await setting()
        let reader = Caller(account: "100000000000", principal: "ann", role: .reader)
        let all = own.parameters([.volume, .snapshot, .instance, .image, .policy])
        for (key, action) in KingsoftDialect.actions where action.isChange {
            let refused = try await counter.ask(key.name, all, key.service, as: reader)
            #expect(refused.status == 403 && refused.code == "AccessDenied", "\(key.name): \(refused.body)")
            let tried = try await counter.ask(key.name, all.merging(["DryRun": "True"]) { $1 }, key.service)
            #expect(
                tried.status < 500 && (tried.code != nil || tried["Return"] as? Bool == true),
                "\(key.name): \(tried.body)")
        }
        try await unchanged(counter, own)
        for key in KingsoftDialect.actions.keys {
            for text in [
                "x", "vol-0123456789abcdef0", "é", "-1", "99999999999999999999", "00000000-0000-4000-8000-000000000000",
            ] {
                for name in [
                    "VolumeId", "SnapshotId", "InstanceId.1", "ImageId", "AutoSnapshotPolicyId", "MaxResults", "Marker",
                    "PageNumber", "PageSize", "Size", "Tag.1.Value", "Filter.1.Name", "DryRun", "AutoSnapshotTime",
                ] {
                    let said = try await counter.ask(key.name, [name: text], key.service)
                    #expect(said.status < 500, "\(key.name) \(name)=\(text): \(said.body)")
                }
            }
        }
        for wrong in [
            "", "Action=", "Action=Nothing&Version=2016-03-04", "Action=DescribeVolumes",
            "Action=DescribeVolumes&Version=2016-11-15",
        ] {
            let answer = await counter.dialect.answer(KingsoftRequest(.ebs, query: wrong), for: .root)
            #expect(answer.status == 400, "\(wrong): \(answer.body)")
        }
        await counter.house.close()
    }
}
