import Blocks
import ControlPlane
import Foundation
import TestSupport
import Testing

@testable import EC2Dialect

/// Two accounts at Amazon's door: every action that there is, asked by one about the other's things.
@Suite struct IsolationTests {
    private static let reader = Caller(account: "100000000000", principal: "ann", role: .reader)
    private static let nobodys = (
        volume: "vol-0123456789abcdef0", snapshot: "snap-0123456789abcdef0", instance: "i-0123456789abcdef0",
        image: "ami-0123456789abcdef0"
    )

    private struct Setting {
        let scratch: ScratchDirectory
        let house: House
        let dialect: EC2Dialect
        let stranger: Caller
        let volume: String
        let snapshot: String
        let instance: String
        let image: String
        /// The stranger's own.
        let strangers: String

        init() async throws {
            scratch = try ScratchDirectory("varve-ec2")
            house = try await House.open(HousePlan(data: scratch.path + "/data"), exports: Board())
            dialect = EC2Dialect(house) { "id" }
            var request = CreateVolume(size: .gibibytes(1))
            request.tags = ["secret": "tag"]
            volume = try await house.volumes.create(request).id
            snapshot = try await house.snapshots.create(
                CreateSnapshot(volume: volume, description: "secret", tags: ["secret": "tag"])
            ).id
            _ = try await house.snapshots.wait(for: snapshot)
            instance = try await house.instances.launch(NewInstances())[0].id
            let disk = NewImage.Disk("/dev/sda1", snapshot: snapshot)
            var names = ImageNames("secret image", description: "secret")
            names.tags = ["secret": "tag"]
            image = try await house.images.register(NewImage(names, rootDevice: disk.device, disks: [disk])).id
            let account = try await house.accounts.create(named: "others").id
            stranger = Caller(account: account, principal: "eve", role: .administrator)
            strangers = try await house.verbs(for: stranger).volumes.create(CreateVolume(size: .gibibytes(1))).id
        }

        /// Waits for what the stranger's own snapshots are still doing: two looks at them are to be the same.
        func settle() async throws {
            let verbs = house.verbs(for: stranger)
            for snapshot in try await verbs.snapshots.list() where snapshot.state == .pending {
                // A copy of what is not theirs ends as failed.
                _ = try? await verbs.snapshots.wait(for: snapshot.id)
            }
        }

        /// Asks with every parameter by which an action may name something.
        func ask(
            _ action: String, volume: String?, snapshot: String?, instance: String? = nil,
            image: String? = nil, as caller: Caller
        ) async -> EC2Answer {
            var parameters = [
                "Action=\(action)", "Version=2016-11-15", "AvailabilityZone=us-east-1a", "Size=2", "Tag.1.Key=k",
                "Tag.1.Value=v", "Attribute=createVolumePermission", "State=block-new-sharing",
                "CreateVolumePermission.Add.1.UserId=\(stranger.account)", "SourceRegion=us-east-1",
                "AvailabilityZone.1=us-east-1a", "AutoEnableIO.Value=true", "DisableApiTermination.Value=true",
            ]
            if let volume {
                parameters += ["VolumeId=\(volume)", "VolumeId.1=\(volume)", "ResourceId.1=\(volume)"]
                parameters.append("SourceVolumeId=\(volume)")
            }
            if let snapshot {
                parameters += ["SnapshotId", "SnapshotId.1", "SourceSnapshotId", "SourceSnapshotId.1"].map {
                    "\($0)=\(snapshot)"
                }
                parameters.append(volume == nil ? "ResourceId.1=\(snapshot)" : "ResourceId.2=\(snapshot)")
            }
            if let instance {
                parameters += [
                    "InstanceId=\(instance)", "InstanceId.1=\(instance)",
                    "InstanceSpecification.InstanceId=\(instance)",
                    "ResourceId.3=\(instance)",
                ]
            }
            if let image {
                parameters += ["ImageId", "ImageId.1", "SourceImageId", "ResourceId.4"].map { "\($0)=\(image)" }
                parameters += ["Name=copy", "DeprecateAt=2099-01-01T00:00:00Z"]
            }
            return await dialect.answer(EC2Request(sources: [parameters.joined(separator: "&")]), for: caller)
        }
    }

    @Test("no action tells a stranger whether something of another account exists, or changes it")
    func nothingLeaks() async throws {
        let setting = try await Setting()
        for name in EC2Dialect.actions.keys.sorted() {
            for (volume, snapshot) in [(true, false), (false, true)] {
                let own = await setting.ask(
                    name, volume: volume ? setting.volume : nil, snapshot: snapshot ? setting.snapshot : nil,
                    as: setting.stranger)
                let none = await setting.ask(
                    name, volume: volume ? Self.nobodys.volume : nil, snapshot: snapshot ? Self.nobodys.snapshot : nil,
                    as: setting.stranger)
                let ownText = own.body.replacingOccurrences(of: setting.volume, with: "VOLUME")
                    .replacingOccurrences(of: setting.snapshot, with: "SNAPSHOT")
                let noneText = none.body.replacingOccurrences(of: Self.nobodys.volume, with: "VOLUME")
                    .replacingOccurrences(of: Self.nobodys.snapshot, with: "SNAPSHOT")
                #expect(own.status < 500 && none.status < 500, "\(name): \(own.body) \(none.body)")
                if name == "CreateVolume", volume { continue }  // Names no volume: it makes one of the stranger's own.
                // Copies come to be, and fail alike: see CopyTests.
                let makesIDs = name == "CopySnapshot" && snapshot
                #expect(
                    own.status == none.status && (makesIDs || ownText == noneText), "\(name): \(ownText) \(noneText)")
                #expect(!own.body.contains("secret"), "\(name)")
            }
            // Something of their own beside what is not.
            let mixed = await setting.ask(
                name, volume: setting.strangers, snapshot: setting.snapshot, as: setting.stranger)
            let odd = await setting.ask(
                name, volume: setting.strangers, snapshot: Self.nobodys.snapshot, as: setting.stranger)
            // Their own volume goes the first time.
            #expect(
                name == "DeleteVolume" || mixed.status == odd.status && mixed.status < 500,
                "\(name): \(mixed.body) \(odd.body)")
            #expect(!mixed.body.contains("secret"), "\(name)")
            let onTheirs = await setting.ask(
                name, volume: setting.strangers, snapshot: nil, instance: setting.instance, as: setting.stranger)
            let onNone = await setting.ask(
                name, volume: setting.strangers, snapshot: nil, instance: Self.nobodys.instance, as: setting.stranger)
            let hidden = onTheirs.body.replacingOccurrences(of: setting.instance, with: "INSTANCE")
            let unknown = onNone.body.replacingOccurrences(of: Self.nobodys.instance, with: "INSTANCE")
            // Where no instance is named, their own volume is what the action is about.
            if unknown.contains("INSTANCE") { #expect(hidden == unknown, "\(name)") }
            let imageOfOther = await setting.ask(
                name, volume: nil, snapshot: nil, image: setting.image, as: setting.stranger)
            let imageOfNobody = await setting.ask(
                name, volume: nil, snapshot: nil, image: Self.nobodys.image, as: setting.stranger)
            // CreateVolume names no image: it makes a volume of the stranger's own.
            #expect(
                name == "CreateVolume"
                    || imageOfOther.status == imageOfNobody.status && imageOfOther.status < 500
                        && imageOfOther.body.replacingOccurrences(of: setting.image, with: "IMAGE")
                            == imageOfNobody.body.replacingOccurrences(of: Self.nobodys.image, with: "IMAGE"),
                "\(name): \(imageOfOther.body) \(imageOfNobody.body)")
            #expect(!imageOfOther.body.contains("secret"), "\(name)")
            let bare = await setting.ask(name, volume: nil, snapshot: nil, as: setting.stranger)
            #expect(!bare.body.contains(setting.volume) && !bare.body.contains(setting.snapshot), "\(name)")
            #expect(!bare.body.contains("secret"), "\(name)")
            try await setting.settle()
        }
        let volume = try await setting.house.volumes.show(setting.volume)
        #expect(volume.sizeBytes == 1 << 30 && volume.tags == ["secret": "tag"])
        #expect(try await setting.house.snapshots.show(setting.snapshot).state == .completed)
        #expect(try await setting.house.snapshots.sharing(of: setting.snapshot) == SnapshotSharing())
        #expect(try await setting.house.instances.show(setting.instance).state == .running)
        let image = try await setting.house.images.show(setting.image)
        #expect(image.state == .available && image.sharing == nil && image.tags == ["secret": "tag"])
        await setting.house.close()
    }

    @Test("a reader changes nothing, and no client's mistake is the server's fault")
    func readersAndMistakes() async throws {
        let setting = try await Setting()
        for (name, action) in EC2Dialect.actions where action.isChange {
            let answer = await setting.ask(name, volume: setting.volume, snapshot: setting.snapshot, as: Self.reader)
            #expect(answer.status == 403 && answer.body.contains("<Code>UnauthorizedOperation</Code>"), "\(name)")
        }
        for name in EC2Dialect.actions.keys {
            for text in ["", "x", "vol-", "vol-zz", "%FF", "%00", "snap-0", "-1", "99999999999999999999"] {
                for parameter in [
                    "VolumeId", "VolumeId.1", "SnapshotId", "SnapshotId.1", "InstanceId.1", "ImageId",
                    "ImageId.1", "MaxResults", "NextToken",
                    "Size",
                ] {
                    let query = "Action=\(name)&Version=2016-11-15&\(parameter)=\(text)"
                    let answer = await setting.dialect.answer(EC2Request(sources: [query]), for: .root)
                    #expect(answer.status < 500, "\(name) \(parameter)=\(text): \(answer.body)")
                }
            }
        }
        for size in [0, -1, 1 << 33, (1 << 34) + 5, Int.max] {
            let query = "Action=ModifyVolume&Version=2016-11-15&VolumeId=\(setting.volume)&Size=\(size)"
            let answer = await setting.dialect.answer(EC2Request(sources: [query]), for: .root)
            #expect(answer.status == 400, "\(size): \(answer.body)")
        }
        #expect(try await setting.house.volumes.show(setting.volume).sizeBytes == 1 << 30)
        for wrong in [
            "", "Action=", "Action=Nothing&Version=2016-11-15", "Action=DescribeVolumes",
            "Action=DescribeVolumes&Version=2030-01-01",
        ] {
            let answer = await setting.dialect.answer(EC2Request(sources: [wrong]), for: .root)
            #expect(answer.status == 400, "\(wrong): \(answer.body)")
        }
        await setting.house.close()
    }
}
