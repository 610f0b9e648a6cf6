import Blocks
import ControlPlane
import Foundation
import TestSupport
import Testing

@testable import EC2Dialect

/// DescribeSnapshots page by page: every snapshot once, whatever filters leave out.
@Suite struct SnapshotPageTests {
    private static func ids(_ text: String, _ tag: String) -> [String] {
        text.components(separatedBy: "<\(tag)>").dropFirst().map { String($0.prefix { $0 != "<" }) }
    }

    @Test("pages hold what the whole list holds, once, in order, with filters that the catalog knows and others")
    func pages() async throws {
        let scratch = try ScratchDirectory("varve-pages")
        let house = try await House.open(HousePlan(data: scratch.path + "/data"), exports: Board())
        let dialect = EC2Dialect(house) { "id" }
        var volumes: [String] = []
        for _ in 0..<3 { volumes.append(try await house.volumes.create(CreateVolume(size: .mebibytes(1))).id) }
        for number in 0..<24 {
            let made = try await house.snapshots.create(
                CreateSnapshot(volume: volumes[number % 3], tags: number % 4 == 0 ? ["kind": "rare"] : [:]))
            _ = try await house.snapshots.wait(for: made.id)
        }
        func describe(_ filters: [String], size: Int? = nil, after token: String? = nil) async -> String {
            let query =
                ["Action=DescribeSnapshots", "Version=2016-11-15"] + filters + (size.map { ["MaxResults=\($0)"] } ?? [])
                + (token.map { ["NextToken=\($0)"] } ?? [])
            return await dialect.answer(EC2Request(sources: [query.joined(separator: "&")]), for: .root).body
        }
        let own = "Filter.1.Name=volume-id&Filter.1.Value.1=\(volumes[1])"
        let cases: [([String], Int)] = [
            ([], 24), ([own], 8), (["\(own)&Filter.1.Value.2=\(volumes[2])"], 16),
            (["Filter.1.Name=volume-id&Filter.1.Value.1=vol-*"], 24),
            (["Filter.1.Name=tag:kind&Filter.1.Value.1=rare"], 6),
            ([own, "Filter.2.Name=tag-key&Filter.2.Value.1=kind"], 2),
            (["Filter.1.Name=volume-id&Filter.1.Value.1=vol-0123456789abcdef0"], 0),
            (["Filter.1.Name=volume-id&Filter.1.Value.1=vol-ffffffff"], 0), (["Owner.1=999999999999"], 0),
            (["Owner.1=self"], 24), (["Owner.1=self&Owner.2=999999999999"], 24),
            (["Filter.1.Name=owner-id&Filter.1.Value.1=999999999999"], 0),
            (["Owner.1=self", "Filter.1.Name=owner-id&Filter.1.Value.1=1*"], 24),
        ]
        for (filters, count) in cases {
            let whole = Self.ids(await describe(filters), "snapshotId")
            #expect(whole.count == count && whole == whole.sorted(), "\(filters)")
            for size in [5, 7, 8, 24, 1000] {
                var found: [String] = []
                var token: String?
                repeat {
                    let page = await describe(filters, size: size, after: token)
                    let ids = Self.ids(page, "snapshotId")
                    #expect(ids.count <= size)
                    found += ids
                    token = Self.ids(page, "nextToken").first
                } while token != nil
                #expect(found == whole, "\(filters) by \(size)")
            }
        }
        // What is named is there, though something else keeps it from the answer.
        let named = try #require(Self.ids(await describe([own]), "snapshotId").first)
        let other = "Filter.1.Name=volume-id&Filter.1.Value.1=\(volumes[2])"
        for more in [other, "Owner.1=999999999999"] {
            let answer = await describe(["SnapshotId.1=\(named)", more])
            #expect(answer.contains("<snapshotSet") && Self.ids(answer, "snapshotId").isEmpty)
        }
        await house.close()
    }
}
