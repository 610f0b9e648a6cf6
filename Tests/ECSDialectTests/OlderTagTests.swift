import ControlPlane
import TestSupport
import Testing

@testable import ECSDialect

@Suite struct OlderTagTests {
    @Test("tags are written, counted by what has them, found and taken away as older clients do it")
    func life() async throws {
        let door = try await ECSDoor()
        let disk = try await door.usedDisk(), other = try await door.usedDisk()
        let host = try await door.ask("CreateInstance").text("InstanceId")
        func tag(_ type: String, _ id: String, _ more: [String: String]) -> [String: String] {
            more.merging(["ResourceType": type, "ResourceId": id]) { $1 }
        }
        let team = ["Tag.1.Key": "team", "Tag.1.Value": "storage"]
        for (type, id) in [("disk", disk), ("disk", other), ("instance", host)] {
            #expect(try await door.ask("AddTags", tag(type, id, team)).status == 200)
        }
        #expect(
            try await door.ask("AddTags", tag("disk", disk, ["Tag.1.Key": "kept", "Tag.1.Value": "yes"])).status == 200)
        func tags(_ more: [String: String] = [:]) async throws -> [[String: Any]] {
            try await door.ask("DescribeTags", more).list("Tags", "Tag")
        }
        let all = try await tags()
        #expect(all.compactMap { $0["TagKey"] as? String } == ["kept", "team"])
        let counts = try #require(all.last?["ResourceTypeCount"] as? [String: Int])
        #expect(counts["Disk"] == 2 && counts["Instance"] == 1 && counts["Snapshot"] == 0)
        #expect(try await tags(["ResourceType": "instance"]).count == 1)
        #expect(try await tags(["ResourceType": "disk", "ResourceId": other]).count == 1)
        #expect(try await tags(["Tag.1.Key": "kept"]).count == 1)
        #expect(try await tags(["Tag.1.Key": "kept", "Tag.1.Value": "no"]).isEmpty)
        #expect(try await door.ask("DescribeTags", ["PageSize": "1"]).fields["TotalCount"] as? Int == 2)
        #expect(try await door.ask("RemoveTags", tag("disk", disk, ["Tag.1.Key": "team"])).status == 200)
        #expect(try await tags(["ResourceType": "disk", "ResourceId": disk]).count == 1)
        #expect(
            try await door.ask("RemoveTags", tag("disk", disk, ["Tag.1.Key": "kept", "Tag.1.Value": "no"])).status
                == 200)
        #expect(try await tags(["ResourceType": "disk", "ResourceId": disk]).count == 1)
        #expect(try await door.ask("RemoveTags", tag("disk", disk, [:])).status == 200)
        #expect(try await tags(["ResourceType": "disk", "ResourceId": disk]).isEmpty)
        func many(_ numbers: ClosedRange<Int>) -> [String: String] {
            var tags: [String: String] = [:]
            for (place, number) in numbers.enumerated() { tags["Tag.\(place + 1).Key"] = "k\(number)" }
            return tags
        }
        #expect(try await door.ask("AddTags", tag("disk", disk, many(1...20))).status == 200)
        #expect(try await door.ask("AddTags", tag("disk", disk, many(1...20))).status == 200)
        try await door.refused("AddTags", tag("disk", disk, many(21...21)), 403, "QuotaExceed.Tags")
        try await door.refused(
            "TagResources", many(21...21).merging(["ResourceType": "disk", "ResourceId.1": disk]) { $1 }, 400,
            "OperationDenied.QuotaExceed")
        try await door.refused("AddTags", tag("disk", disk, many(1...21)), 400, "NumberExceed.Tags")
        try await door.refused("AddTags", tag("disk", disk, [:]), 404, "MissingParameter.Tags")
        try await door.refused("AddTags", tag("disk", "d-1", team), 404, "InvalidResourceId.NotFound")
        try await door.refused("AddTags", tag("eni", disk, team), 404, "InvalidResourceType.NotFound")
        try await door.refused("DescribeTags", ["ResourceId": disk], 404, "MissingParameter.ResourceType")
        await door.house.close()
    }
}
