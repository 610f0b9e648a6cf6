import Blocks
import ControlPlane
import TestSupport
import Testing

@testable import EC2Dialect

/// New root volumes in Amazon's words.
@Suite struct RootTests {
    @Test("a root volume is replaced, described, and refused in Amazon's words")
    func replaceRoot() async throws {
        let scratch = try ScratchDirectory("varve-ec2-roots")
        let house = try await House.open(HousePlan(data: scratch.path + "/data"), exports: Board())
        let dialect = EC2Dialect(house) { "id" }
        func ask(_ query: String) async -> EC2Answer {
            await dialect.answer(EC2Request(sources: [query + "&Version=2016-11-15"]), for: .root)
        }
        func refused(_ query: String, _ code: String) async -> Bool {
            await ask(query).body.contains("<Code>\(code)</Code>")
        }
        func element(_ name: String, _ body: String) -> String? {
            body.split(separator: "<\(name)>").dropFirst().first.map { String($0.prefix { $0 != "<" }) }
        }
        let origin = try await house.volumes.create(CreateVolume(size: .mebibytes(1))).id
        let snapshot = try await house.snapshots.create(CreateSnapshot(volume: origin)).id
        _ = try await house.snapshots.wait(for: snapshot)
        var request = NewInstances()
        let volume = CreateVolume(size: nil, origin: .snapshot(snapshot))
        request.disks = [NewInstances.Disk(device: "/dev/sda1", volume: volume, goesWithInstance: true)]
        let instance = try await house.instances.launch(request)[0]
        let create = "Action=CreateReplaceRootVolumeTask&InstanceId=\(instance.id)"
        #expect(await ask("\(create)&DryRun=true").status == 412)
        let tag = "TagSpecification.1"
        let tags = "&\(tag).ResourceType=replace-root-volume-task&\(tag).Tag.1.Key=k&\(tag).Tag.1.Value=v"
        let made = await ask("\(create)&ClientToken=t&DeleteReplacedRootVolume=true\(tags)").body
        let id = try #require(element("replaceRootVolumeTaskId", made))
        #expect(id.hasPrefix("replacevol-0") && element("taskState", made) == "pending", "\(made)")
        #expect(element("instanceId", made) == instance.id && element("snapshotId", made) == snapshot)
        #expect(element("deleteReplacedRootVolume", made) == "true" && element("key", made) == "k")
        let again = await ask("\(create)&ClientToken=t&DeleteReplacedRootVolume=true\(tags)").body
        #expect(element("replaceRootVolumeTaskId", again) == id)
        #expect(await refused("\(create)&ClientToken=t", "IdempotentParameterMismatch"))
        let describe = "Action=DescribeReplaceRootVolumeTasks"
        for query in [
            "", "&ReplaceRootVolumeTaskId.1=\(id)", "&Filter.1.Name=instance-id&Filter.1.Value.1=\(instance.id)",
        ] {
            let told = await ask(describe + query).body
            #expect(element("taskState", told) == "succeeded" && told.contains("<completeTime>"), "\(told)")
        }
        let none = await ask("\(describe)&Filter.1.Name=instance-id&Filter.1.Value.1=i-0")
        #expect(none.body.contains("<replaceRootVolumeTaskSet/>"))
        #expect(await refused("\(describe)&ReplaceRootVolumeTaskId.1=x", "InvalidReplaceRootVolumeTaskId.NotFound"))
        #expect(await refused("\(create)&SnapshotId=snap-0123456789abcdef0", "InvalidSnapshot.NotFound"))
        #expect(await refused("\(create)&SnapshotId=snap-12345678", "InvalidSnapshot.NotFound"))
        #expect(await refused("\(create)&ImageId=ami-0123456789abcdef0", "InvalidAMIID.NotFound"))
        #expect(await refused("\(create)&ImageId=ami-1&SnapshotId=\(snapshot)", "InvalidParameterCombination"))
        let other = try await house.volumes.create(CreateVolume(size: .mebibytes(1))).id
        let foreign = try await house.snapshots.create(CreateSnapshot(volume: other)).id
        #expect(await refused("\(create)&SnapshotId=\(foreign)", "InvalidParameterValue"))
        #expect(
            await refused(
                "Action=CreateReplaceRootVolumeTask&InstanceId=i-0123456789abcdef0", "InvalidInstanceID.NotFound"))
        _ = try await house.instances.set(.stopped, of: instance.id)
        #expect(await refused(create, "IncorrectInstanceState"))
        await house.close()
    }
}
