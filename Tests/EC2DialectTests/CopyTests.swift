import Blocks
import ControlPlane
import Foundation
import TestSupport
import Testing

@testable import EC2Dialect

/// CopySnapshot in Amazon's words, over two regions.
@Suite struct CopyTests {
    private struct Setting {
        let scratch: ScratchDirectory
        let house: House
        let dialect: EC2Dialect
        let snapshot: String

        init() async throws {
            scratch = try ScratchDirectory("varve-ec2-copies")
            var plan = HousePlan(data: scratch.path + "/data")
            plan.moreRegions = [RegionPlan(region: Region(name: "us-west-2"))]
            house = try await House.open(plan, exports: Board())
            dialect = EC2Dialect(house) { "id" }
            let volume = try await house.volumes.create(CreateVolume(size: .gibibytes(1))).id
            snapshot = try await house.snapshots.create(CreateSnapshot(volume: volume)).id
            _ = try await house.snapshots.wait(for: snapshot)
        }

        func ask(
            _ action: String, _ parameters: [String: String], as caller: Caller = .root,
            in region: String? = "us-west-2"
        ) async -> EC2Answer {
            let all = ["Action": action, "Version": "2016-11-15"].merging(parameters) { $1 }
            var plain = CharacterSet.alphanumerics
            plain.insert(charactersIn: "-._")
            let query = all.map { "\($0)=\($1.addingPercentEncoding(withAllowedCharacters: plain) ?? "")" }
            return await dialect.answer(EC2Request(sources: [query.joined(separator: "&")]), for: caller, in: region)
        }

        /// Asks for a copy with some parameters changed; an empty one is left out.
        func copy(_ changes: [String: String] = [:], as caller: Caller = .root) async -> EC2Answer {
            let all = ["SourceSnapshotId": snapshot, "SourceRegion": "us-east-1"].merging(changes) { $1 }
            return await ask("CopySnapshot", all.filter { !$0.value.isEmpty }, as: caller)
        }
    }

    private static func element(_ name: String, _ text: String) -> String? {
        guard let start = text.range(of: "<\(name)>"), let end = text.range(of: "</\(name)>") else { return nil }
        return String(text[start.upperBound..<end.lowerBound])
    }

    @Test("a copy is pending without a size, then is the source's equal under a volume of none")
    func copies() async throws {
        let setting = try await Setting()
        let made = await setting.copy([
            "Description": "d", "TagSpecification.1.ResourceType": "snapshot", "TagSpecification.1.Tag.1.Key": "k",
            "TagSpecification.1.Tag.1.Value": "v", "DestinationRegion": "us-west-2", "CompletionDurationMinutes": "15",
            "PresignedUrl":
                "http://x/?Action=CopySnapshot&SourceSnapshotId=\(setting.snapshot)&DestinationRegion=us-west-2",
        ])
        #expect(made.status == 200 && made.body.contains("<tagSet><item><key>k</key><value>v</value></item></tagSet>"))
        let id = try #require(Self.element("snapshotId", made.body))
        let west = try #require(setting.house.verbs(for: .root, in: "us-west-2"))
        _ = try await west.snapshots.wait(for: id)
        let shown = await setting.ask("DescribeSnapshots", ["SnapshotId.1": id]).body
        for part in [
            "volumeId>vol-ffffffff<", "volumeSize>1<", "status>completed<", "progress>100%<", "description>d<",
        ] {
            #expect(shown.contains(part), "\(part)")
        }
        let elsewhere = await setting.ask("DescribeSnapshots", ["SnapshotId.1": id], in: nil)
        #expect(Self.element("Code", elsewhere.body) == "InvalidSnapshot.NotFound")
        await setting.house.close()
    }

    @Test("each refusal has Amazon's code and words")
    func refusals() async throws {
        let setting = try await Setting()
        let cases: [([String: String], String, String)] = [
            (["SourceRegion": ""], "MissingParameter", "The request must contain the parameter sourceRegion"),
            (["SourceSnapshotId": "snap-zz"], "InvalidParameterValue", "The specified snapshotId is invalid"),
            (["SourceRegion": "mars-1"], "InvalidRegion", "mars-1 is not a valid region name."),
            (
                ["DestinationRegion": "us-east-1"], "InvalidParameterValue",
                "DestinationRegion 'us-east-1' does not match the current region (us-west-2)"
            ),
            (
                ["CompletionDurationMinutes": "16"], "InvalidParameterValue",
                "'16' is not a valid value for completion duration. Specify a value between 15 and 2880 minutes, "
                    + "in 15 minute increments only"
            ),
            (
                ["PresignedUrl": "ftp://x"], "InvalidParameterValue",
                "The protocol in PresignedUrl should be http or https"
            ),
            (
                ["PresignedUrl": "https://x/?SourceSnapshotId=snap-1"], "InvalidParameterValue",
                "The source snapshot specified in PresignedUrl 'snap-1' does not match the "
                    + "source snapshot in the request: '\(setting.snapshot)'"
            ),
            (
                ["PresignedUrl": "https://x/?DestinationRegion=y"], "InvalidParameterValue",
                "The destination region specified in PresignedUrl: 'y' is incorrect"
            ),
            (
                ["KmsKeyId": "01234567-89ab-cdef-0123-456789abcdef", "Encrypted": "true"], "InvalidParameterValue",
                "The specified keyId 01234567-89ab-cdef-0123-456789abcdef is invalid"
            ),
            (
                ["KmsKeyId": "x"], "InvalidParameterDependency",
                "The parameter KmsKeyId requires the parameter Encrypted to be set."
            ),
            (["DryRun": "true"], "DryRunOperation", "Request would have succeeded, but DryRun flag is set."),
        ]
        for (changes, code, message) in cases {
            let answer = await setting.copy(changes)
            #expect(Self.element("Code", answer.body) == code, "\(changes): \(answer.body)")
            let text = Self.element("Message", answer.body)?.replacingOccurrences(of: "&apos;", with: "'")
            #expect(text?.replacingOccurrences(of: "&#39;", with: "'") == message, "\(changes)")
        }
        let outpost = await setting.copy(["DestinationOutpostArn": "arn:x"])
        #expect(Self.element("Code", outpost.body) == "UnsupportedOperation")
        #expect(try await setting.house.verbs(for: .root, in: "us-west-2")?.snapshots.list().isEmpty == true)
        await setting.house.close()
    }

    @Test("another account's snapshot and one that nobody has end as the same error")
    func isolation() async throws {
        let setting = try await Setting()
        let account = try await setting.house.accounts.create(named: "others").id
        let stranger = Caller(account: account, principal: "eve", role: .administrator)
        let west = try #require(setting.house.verbs(for: stranger, in: "us-west-2"))
        var shown: [String] = []
        for source in [setting.snapshot, "snap-0123456789abcdef0"] {
            let made = await setting.copy(["SourceSnapshotId": source], as: stranger)
            let id = try #require(Self.element("snapshotId", made.body))
            _ = try? await west.snapshots.wait(for: id)
            var text = await setting.ask("DescribeSnapshots", ["SnapshotId.1": id], as: stranger).body
            text = text.replacingOccurrences(of: id, with: "ID")
            if let time = Self.element("startTime", text) { text = text.replacingOccurrences(of: time, with: "TIME") }
            shown.append(text)
        }
        #expect(
            shown[0] == shown[1] && shown[0].contains("<statusMessage>Source snapshot is not found</statusMessage>"))
        await setting.house.close()
    }

    @Test("regions are all listed, zones are those of the region asked; a page's token holds in its region alone")
    func places() async throws {
        let setting = try await Setting()
        let regions = await setting.ask("DescribeRegions", [:]).body
        #expect(regions.contains("<regionName>us-east-1<") && regions.contains("<regionName>us-west-2<"))
        let zones = await setting.ask("DescribeAvailabilityZones", [:]).body
        #expect(zones.contains("<zoneName>us-west-2a<") && !zones.contains("us-east-1a"))
        for _ in 0..<6 { _ = try await setting.house.volumes.create(CreateVolume(size: .gibibytes(1))) }
        let page = await setting.ask("DescribeVolumes", ["MaxResults": "5"], in: "us-east-1").body
        let token = try #require(Self.element("nextToken", page))
        let here = await setting.ask("DescribeVolumes", ["MaxResults": "5", "NextToken": token], in: nil)
        let there = await setting.ask("DescribeVolumes", ["MaxResults": "5", "NextToken": token])
        #expect(here.status == 200 && Self.element("Code", there.body) == "InvalidParameterValue")
        let nowhere = await setting.ask("DescribeVolumes", [:], in: "mars-1")
        #expect(nowhere.status == 401 && Self.element("Code", nowhere.body) == "AuthFailure")
        await setting.house.close()
    }
}
