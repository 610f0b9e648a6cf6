import Blocks
import ControlPlane
import TestSupport
import Testing

@testable import EC2Dialect

@Suite struct SizeTests {
    @Test(
        "a size beyond what can be counted is refused as too large",
        arguments: [Int.max, 1 << 34, 1 << 33 + 1, 1 << 40])
    func huge(_ size: Int) async throws {
        let scratch = try ScratchDirectory("varve-ec2-sizes")
        let house = try await House.open(HousePlan(data: scratch.path + "/data"), exports: Board())
        let dialect = EC2Dialect(house) { "id" }
        let volume = try await house.volumes.create(CreateVolume(size: .gibibytes(1))).id
        let snapshot = try await house.snapshots.create(CreateSnapshot(volume: volume)).id
        _ = try await house.snapshots.wait(for: snapshot)
        let new = "Action=CreateVolume&AvailabilityZone=\(house.region.zones[0].name)&Size=\(size)"
        let device = "BlockDeviceMapping.1.DeviceName=/dev/sda1&BlockDeviceMapping.1.Ebs"
        for query in [
            new, "\(new)&VolumeType=io1&Iops=100", "\(new)&SnapshotId=\(snapshot)",
            "Action=ModifyVolume&VolumeId=\(volume)&Size=\(size)",
            "Action=CopyVolumes&SourceVolumeId=\(volume)&Size=\(size)",
            "Action=RegisterImage&Name=huge&RootDeviceName=/dev/sda1&\(device).SnapshotId=\(snapshot)&\(device).VolumeSize=\(size)",
            "Action=RunInstances&MinCount=1&MaxCount=1&\(device).VolumeSize=\(size)",
        ] {
            let answer = await dialect.answer(
                EC2Request(sources: [query + "&Version=2016-11-15"]), for: .root)
            #expect(answer.status == 400, "\(query): \(answer.body)")
        }
        #expect(try await house.volumes.list().map(\.sizeBytes) == [1 << 30])
        #expect(try await house.images.list().isEmpty)
        await house.close()
    }
}
