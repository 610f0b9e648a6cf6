import Blocks
import ControlPlane
import TestSupport
import Testing

@testable import EC2Dialect

/// Copies of volumes in Amazon's words.
@Suite struct VolumeCopyTests {
    @Test("CopyVolumes answers the copy, makes it once by its token, and refuses in Amazon's words")
    func copyVolumes() async throws {
        let scratch = try ScratchDirectory("varve-ec2-copies")
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
        let volume = try await house.volumes.create(CreateVolume(size: .gibibytes(4))).id
        let copy = "Action=CopyVolumes&SourceVolumeId=\(volume)"
        #expect(await ask("\(copy)&DryRun=true").status == 412)
        let tag = "TagSpecification.1"
        let tags = "&\(tag).ResourceType=volume&\(tag).Tag.1.Key=k&\(tag).Tag.1.Value=v"
        let made = await ask("\(copy)&ClientToken=t\(tags)").body
        let id = try #require(element("volumeId", made))
        #expect(id != volume && made.contains("<volumeSet><item><volumeId>\(id)</volumeId><size>4</size>"))
        #expect(element("sourceVolumeId", made) == volume && element("volumeType", made) == "gp2")
        #expect(element("snapshotId", made) == "" && !made.contains("attachmentSet") && element("key", made) == "k")
        #expect(await element("volumeId", ask("\(copy)&ClientToken=t\(tags)").body) == id)
        #expect(await refused("\(copy)&ClientToken=t&Size=5\(tags)", "IdempotentParameterMismatch"))
        let larger = await ask("\(copy)&Size=8&VolumeType=gp3&Iops=4000").body
        #expect(element("size", larger) == "8" && element("iops", larger) == "4000")
        let described = await ask("Action=DescribeVolumes&VolumeId.1=\(id)").body
        #expect(element("sourceVolumeId", described) == volume)
        #expect(await refused("\(copy)&Size=3", "InvalidParameterValue"))
        #expect(await ask("\(copy)&Size=3").body.contains("smaller than its source"))
        #expect(await refused("\(copy)&VolumeType=io1", "InvalidParameterCombination"))
        #expect(await refused("\(copy)&VolumeType=io1&Iops=500", "InvalidParameterValue"))
        #expect(await refused("\(copy)&VolumeType=x", "UnknownVolumeType"))
        #expect(await refused("\(copy)&KmsKeyId=x", "InvalidParameterDependency"))
        #expect(await refused("Action=CopyVolumes", "MissingParameter"))
        #expect(await refused("Action=CopyVolumes&SourceVolumeId=x", "InvalidParameterValue"))
        #expect(await refused("Action=CopyVolumes&SourceVolumeId=vol-x", "InvalidVolumeID.Malformed"))
        for nobodys in ["vol-0123456789abcdef0", "vol-12345678"] {
            #expect(await refused("Action=CopyVolumes&SourceVolumeId=\(nobodys)", "InvalidVolume.NotFound"))
        }
        _ = try await house.quotas.set(.gp3, to: 8)
        #expect(await refused("\(copy)&VolumeType=gp3", "VolumeLimitExceeded"))
        let importing = try await house.volumes.beginImport(size: .gibibytes(1), name: nil).id
        #expect(await refused("Action=CopyVolumes&SourceVolumeId=\(importing)", "IncorrectState"))
        // What the token made is there, though it would be too small by now.
        let small = "\(copy)&Size=4&ClientToken=small"
        let smallID = try #require(await element("volumeId", ask(small).body))
        #expect(await ask("Action=ModifyVolume&VolumeId=\(volume)&Size=6").status == 200)
        #expect(await element("volumeId", ask(small).body) == smallID)
        #expect(await refused("\(copy)&Size=4", "InvalidParameterValue"))
        await house.close()
    }
}
