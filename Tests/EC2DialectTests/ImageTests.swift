import Blocks
import ControlPlane
import Foundation
import TestSupport
import Testing

@testable import EC2Dialect

/// Images in Amazon's words.
@Suite struct ImageTests {
    private struct Setting {
        let scratch: ScratchDirectory
        let house: House
        let dialect: EC2Dialect
        let snapshot: String
        let stranger: Caller

        init() async throws {
            scratch = try ScratchDirectory("varve-ec2-images")
            house = try await House.open(HousePlan(data: scratch.path + "/data"), exports: Board())
            dialect = EC2Dialect(house) { "id" }
            let volume = try await house.volumes.create(CreateVolume(size: .gibibytes(1))).id
            snapshot = try await house.snapshots.create(CreateSnapshot(volume: volume)).id
            _ = try await house.snapshots.wait(for: snapshot)
            let account = try await house.accounts.create(named: "others").id
            stranger = Caller(account: account, principal: "eve", role: .administrator)
        }

        func ask(_ action: String, _ parameters: [String: String], as caller: Caller = .root) async -> EC2Answer {
            let all = ["Action": action, "Version": "2016-11-15"].merging(parameters) { $1 }
            var plain = CharacterSet.alphanumerics
            plain.insert(charactersIn: "-._")
            let query = all.map { "\($0)=\($1.addingPercentEncoding(withAllowedCharacters: plain) ?? "")" }
            return await dialect.answer(EC2Request(sources: [query.joined(separator: "&")]), for: caller)
        }

        /// Asks for an image with some parameters changed; an empty one is left out.
        func register(_ changes: [String: String] = [:], as caller: Caller = .root) async -> EC2Answer {
            let all = [
                "Name": "base", "RootDeviceName": "/dev/sda1", "BlockDeviceMapping.1.DeviceName": "/dev/sda1",
                "BlockDeviceMapping.1.Ebs.SnapshotId": snapshot,
            ].merging(changes) { $1 }
            return await ask("RegisterImage", all.filter { !$0.value.isEmpty }, as: caller)
        }

        func image(_ changes: [String: String] = [:]) async throws -> String {
            try #require(ImageTests.element("imageId", await register(changes).body))
        }
    }

    private static func element(_ name: String, _ text: String) -> String? {
        guard let start = text.range(of: "<\(name)>"), let end = text.range(of: "</\(name)>") else { return nil }
        return String(text[start.upperBound..<end.lowerBound])
    }
    private static func code(_ answer: EC2Answer) -> String? { element("Code", answer.body) }

    @Test("a registered image is described with Amazon's constants and with what its owner said of it")
    func describes() async throws {
        let setting = try await Setting()
        let id = try await setting.image([
            "Description": "words", "Architecture": "x86_64", "VirtualizationType": "hvm", "EnaSupport": "true",
            "SriovNetSupport": "simple", "BootMode": "uefi", "BlockDeviceMapping.2.DeviceName": "/dev/sdf",
            "BlockDeviceMapping.2.Ebs.VolumeSize": "3", "BlockDeviceMapping.2.Ebs.VolumeType": "gp3",
            "BlockDeviceMapping.2.Ebs.DeleteOnTermination": "false",
            "TagSpecification.1.ResourceType": "image", "TagSpecification.1.Tag.1.Key": "k",
            "TagSpecification.1.Tag.1.Value": "v",
        ])
        let body = await setting.ask("DescribeImages", ["ImageId.1": id]).body
        let owner = Caller.root.account
        for (name, value) in [
            "imageLocation": "\(owner)/base", "imageState": "available", "imageOwnerId": owner, "isPublic": "false",
            "imageType": "machine", "platformDetails": "Linux/UNIX", "usageOperation": "RunInstances",
            "rootDeviceType": "ebs", "rootDeviceName": "/dev/sda1", "hypervisor": "xen", "architecture": "x86_64",
            "virtualizationType": "hvm", "enaSupport": "true", "sriovNetSupport": "simple", "bootMode": "uefi",
            "deregistrationProtection": "disabled", "description": "words", "name": "base",
        ] { #expect(Self.element(name, body) == value, "\(name): \(body)") }
        #expect(
            body.contains(
                "<item><deviceName>/dev/sda1</deviceName><ebs><snapshotId>\(setting.snapshot)</snapshotId>"
                    + "<volumeSize>1</volumeSize><deleteOnTermination>true</deleteOnTermination>"
                    + "<volumeType>gp2</volumeType><encrypted>false</encrypted></ebs></item>"), "\(body)")
        #expect(
            body.contains(
                "<item><deviceName>/dev/sdf</deviceName><ebs><volumeSize>3</volumeSize>"
                    + "<deleteOnTermination>false</deleteOnTermination><volumeType>gp3</volumeType>"), "\(body)")
        #expect(body.contains("<tagSet><item><key>k</key><value>v</value></item></tagSet>"))
        let plain = await setting.ask("DescribeImages", ["ImageId.1": try await setting.image(["Name": "plain"])]).body
        #expect(Self.element("architecture", plain) == "i386")
        #expect(Self.element("virtualizationType", plain) == "paravirtual")
        for (filter, value, count) in [
            ("name", "pl*", 1), ("block-device-mapping.snapshot-id", setting.snapshot, 2), ("state", "pending", 0),
            ("tag:k", "v", 1), ("is-public", "false", 2), ("root-device-name", "/dev/sda1", 2), ("platform", "x", 0),
        ] {
            let found = await setting.ask("DescribeImages", ["Filter.1.Name": filter, "Filter.1.Value.1": value]).body
            #expect(found.components(separatedBy: "<imageId>").count - 1 == count, "\(filter): \(found)")
        }
        let page = await setting.ask("DescribeImages", ["MaxResults": "1"]).body
        let token = try #require(Self.element("nextToken", page))
        let rest = await setting.ask("DescribeImages", ["MaxResults": "1", "NextToken": token]).body
        #expect(rest.contains("<imageId>") && !rest.contains("<nextToken>"))
        let tags = await setting.ask("DescribeTags", ["Filter.1.Name": "resource-type", "Filter.1.Value.1": "image"])
            .body
        #expect(Self.element("resourceId", tags) == id)
        await setting.house.close()
    }

    @Test("refusals have Amazon's codes and words")
    func refusals() async throws {
        let setting = try await Setting()
        let id = try await setting.image()
        let cases: [([String: String], String)] = [
            (["Name": "ab"], "InvalidAMIName.Malformed"), (["Name": ""], "MissingParameter"),
            ([:], "InvalidAMIName.Duplicate"),
            (["Name": "new", "RootDeviceName": "/dev/sdb1"], "InvalidBlockDeviceMapping"),
            (
                ["Name": "new", "BlockDeviceMapping.1.Ebs.SnapshotId": "snap-0123456789abcdef0"],
                "InvalidSnapshotID.NotFound"
            ),
            (["Name": "new", "BlockDeviceMapping.1.Ebs.Encrypted": "true"], "InvalidParameter"),
            (["Name": "new", "BlockDeviceMapping.1.Ebs.VolumeSize": "0"], "InvalidParameterValue"),
            (
                [
                    "Name": "new", "BlockDeviceMapping.1.Ebs.SnapshotId": "",
                    "BlockDeviceMapping.1.Ebs.VolumeType": "gp2",
                ],
                "InvalidBlockDeviceMapping"
            ),
            (["Name": "new", "DryRun": "true"], "DryRunOperation"),
        ]
        for (changes, wanted) in cases {
            let answer = await setting.register(changes)
            #expect(Self.code(answer) == wanted, "\(changes): \(answer.body)")
        }
        #expect(
            Self.element("Message", await setting.register().body) == "AMI name base is already in use by another AMI.")
        let nobodys = await setting.register(["Name": "mine"], as: setting.stranger)
        #expect(Self.code(nobodys) == "InvalidSnapshotID.NotFound")
        _ = try await setting.house.snapshots.share(setting.snapshot, SharingChange(adding: [setting.stranger.account]))
        #expect(
            Self.element("Message", await setting.register(["Name": "mine"], as: setting.stranger).body)
                == "Invalid value &apos;\(setting.snapshot)&apos; for snapshotId. Snapshot does not belong to "
                + setting.stranger.account)
        let deletion = await setting.ask("DeleteSnapshot", ["SnapshotId": setting.snapshot])
        #expect(Self.code(deletion) == "InvalidSnapshot.InUse")
        #expect(
            Self.element("Message", deletion.body)
                == "The snapshot \(setting.snapshot) is currently in use by \(id)")
        let none = "ami-0123456789abcdef0"
        let absent = await setting.ask("DescribeImages", ["ImageId.1": none])
        #expect(Self.code(absent) == "InvalidAMIID.NotFound")
        #expect(Self.element("Message", absent.body) == "The image id &apos;[\(none)]&apos; does not exist")
        #expect(Self.code(await setting.ask("DescribeImages", ["ImageId.1": "ami-x"])) == "InvalidAMIID.Malformed")
        #expect(
            Self.code(await setting.ask("DeregisterImage", ["ImageId": id], as: setting.stranger))
                == "InvalidAMIID.NotFound")
        let grant = [
            "ImageId": id, "Attribute": "launchPermission", "LaunchPermission.Add.1.UserId": setting.stranger.account,
        ]
        #expect(await setting.ask("ModifyImageAttribute", grant).status == 200)
        let foreign = await setting.ask("DeregisterImage", ["ImageId": id], as: setting.stranger)
        #expect(Self.code(foreign) == "AuthFailure" && foreign.body.contains("Not authorized for image \(id)"))
        let executable = await setting.ask("DescribeImages", ["ExecutableBy.1": "self"], as: setting.stranger).body
        #expect(Self.element("imageId", executable) == id)
        #expect(await !setting.ask("DescribeImages", ["Owner.1": "self"], as: setting.stranger).body.contains(id))
        let shown = await setting.ask("DescribeImageAttribute", ["ImageId": id, "Attribute": "launchPermission"]).body
        #expect(shown.contains("<launchPermission><item><userId>\(setting.stranger.account)</userId></item>"))
        let revoke = [
            "ImageId": id, "Attribute": "launchPermission", "OperationType": "remove",
            "UserId.1": setting.stranger.account,
        ]
        #expect(await setting.ask("ModifyImageAttribute", revoke).status == 200)
        #expect(await !setting.ask("DescribeImages", [:], as: setting.stranger).body.contains(id))
        let ended = await setting.ask("DeregisterImage", ["ImageId": id, "DeleteAssociatedSnapshots": "true"])
        #expect(ended.body.contains("<snapshotId>\(setting.snapshot)</snapshotId><returnCode>success</returnCode>"))
        let again = await setting.ask("DeregisterImage", ["ImageId": id])
        #expect(Self.code(again) == "InvalidAMIID.Unavailable")
        #expect(Self.element("Message", again.body) == "The image &apos;\(id)&apos; is no longer available")
        #expect(Self.code(await setting.ask("DescribeImages", ["ImageId.1": id])) == "InvalidAMIID.NotFound")
        await setting.house.close()
    }

    @Test("an instance of an image has its disks, as the request changes them; an image of it is available once stored")
    func launches() async throws {
        let setting = try await Setting()
        let id = try await setting.image([
            "BlockDeviceMapping.2.DeviceName": "/dev/sdf", "BlockDeviceMapping.2.Ebs.VolumeSize": "1",
        ])
        let run = ["ImageId": id, "MinCount": "1", "MaxCount": "1"]
        let made = await setting.ask(
            "RunInstances",
            run.merging([
                "BlockDeviceMapping.1.DeviceName": "/dev/sda1", "BlockDeviceMapping.1.Ebs.VolumeSize": "2",
                "BlockDeviceMapping.1.Ebs.VolumeType": "gp3", "BlockDeviceMapping.1.Ebs.DeleteOnTermination": "false",
                "BlockDeviceMapping.2.DeviceName": "/dev/sdf", "BlockDeviceMapping.2.NoDevice": "",
            ]) { $1 })
        #expect(made.status == 200, "\(made.body)")
        let instance = try #require(Self.element("instanceId", made.body))
        let disks = try await setting.house.instances.show(instance).disks
        #expect(disks.map(\.device) == ["/dev/sda1"] && disks[0].goesWithInstance == false)
        let volume = try await setting.house.volumes.show(disks[0].volumeId)
        #expect(volume.sizeBytes == 2 << 30 && volume.profile.kind == "gp3")
        #expect(volume.originSnapshotId == setting.snapshot)
        let cut = await setting.ask("CreateImage", ["InstanceId": instance, "Name": "of-instance", "NoReboot": "true"])
        let image = try #require(Self.element("imageId", cut.body), "\(cut.body)")
        for _ in 0..<6000 where try await setting.house.images.show(image).state == .pending {
            try await Task.sleep(for: .milliseconds(10))
        }
        let shown = await setting.ask("DescribeImages", ["ImageId.1": image]).body
        #expect(Self.element("imageState", shown) == "available" && Self.element("sourceInstanceId", shown) == instance)
        // In Amazon's own words, by which tools find the snapshots of an image.
        let cutSnapshot = try #require(Self.element("snapshotId", shown))
        #expect(
            try await setting.house.snapshots.show(cutSnapshot).description
                == "Created by CreateImage(\(instance)) for \(image)")
        let copied = await setting.ask(
            "CopyImage", ["SourceImageId": image, "SourceRegion": "us-east-1", "Name": "of-image"])
        let copy = try #require(Self.element("imageId", copied.body), "\(copied.body)")
        for _ in 0..<6000 where try await setting.house.images.show(copy).state == .pending {
            try await Task.sleep(for: .milliseconds(10))
        }
        let copyShown = await setting.ask("DescribeImages", ["ImageId.1": copy]).body
        let copiedSnapshot = try #require(Self.element("snapshotId", copyShown))
        #expect(
            try await setting.house.snapshots.show(copiedSnapshot).description
                == "Copied for DestinationAmi \(copy) from SourceAmi \(image) for SourceSnapshot \(cutSnapshot)")
        let small = run.merging([
            "BlockDeviceMapping.1.DeviceName": "/dev/sda1", "BlockDeviceMapping.1.Ebs.VolumeSize": "1",
        ]) {
            $1
        }
        let refused = await setting.ask("RunInstances", small.merging(["ImageId": image]) { $1 })
        #expect(Self.code(refused) == "InvalidBlockDeviceMapping", "\(refused.body)")
        #expect(await setting.ask("DisableImage", ["ImageId": image]).status == 200)
        #expect(
            Self.code(await setting.ask("RunInstances", run.merging(["ImageId": image]) { $1 }))
                == "InvalidAMIID.Unavailable")
        #expect(await !setting.ask("DescribeImages", [:]).body.contains("<imageId>\(image)</imageId>"))
        #expect(
            Self.element(
                "imageState", await setting.ask("DescribeImages", ["ImageId.1": image, "IncludeDisabled": "true"]).body)
                == "disabled")
        await setting.house.close()
    }
}
