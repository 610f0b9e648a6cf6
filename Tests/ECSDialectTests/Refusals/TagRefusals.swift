import TestSupport

/// Tags that do not come to objects, or from them.
enum TagRefusals {
    static let table = RefusalTable(
        "tags",
        in: {
            let door = try await ECSDoor()
            let disk = try await door.makeDisk()
            let tag = { (from: Int) in
                ["ResourceType": "disk", "ResourceId.1": disk]
                    .merging(Words.list("Tag.N.Key", 20) { "k\(from + $0)" }) { $1 }
            }
            for from in [0, 20] { _ = try await door.ask("TagResources", tag(from)).text("RequestId") }
            return Scene(door, ["disk": disk])
        },
        every + [
            tag("no tags", [:], 404, "MissingParameter.Tags", "The parameter - Tags should not be null"),
            tag("a cloud's own", ["Tag.1.Key": "acs:x"], 400, "InvalidTagKey.Malformed", Words.tagKey),
            tag("one twice", ["Tag.1.Key": "x", "Tag.2.Key": "x"], 400, "Duplicate.TagKey", Words.tagTwice),
            tag(
                "21 tags", Words.list("Tag.N.Key", 21), 400, "NumberExceed.Tags",
                "The Tags parameter's number is exceed , Valid : 20"),
            tag(
                "more than it can have", Words.list("Tag.N.Key", 20) { "n\($0)" }, 400, "OperationDenied.QuotaExceed",
                "The quota of tags on resource is beyond permitted range."),
            Refusal(
                "no tags", "UntagResources", ["ResourceType": "disk", "ResourceId.1": "{disk}"], 404,
                "MissingParameter.Tags", "The parameter - Tags should not be null"),
            Refusal(
                "21 tags", "UntagResources",
                ["ResourceType": "disk", "ResourceId.1": "{disk}"].merging(Words.list("TagKey.N", 21)) { $1 }, 400,
                "NumberExceed.Tags", "The Tags parameter's number is exceed , Valid : 20"),
            Refusal(
                "51 objects", "ListTagResources",
                ["ResourceType": "disk"].merging(Words.list("ResourceId.N", 51)) { $1 },
                400, "NumberExceed.ResourceIds", "The ResourceIds parameter's number is exceed , Valid : 50"),
        ])

    private static func tag(
        _ situation: String, _ change: [String: String], _ status: Int, _ code: String, _ message: String
    ) -> Refusal {
        let usual = ["ResourceType": "disk", "ResourceId.1": "{disk}"]
        return Refusal(situation, "TagResources", usual.merging(change) { $1 }, status, code, message)
    }

    private static let every = ["TagResources", "UntagResources"].flatMap { action in
        let tags = ["Tag.1.Key": "k", "TagKey.1": "k"]
        return [
            Refusal(
                "no type", action, tags, 404, "MissingParameter.ResourceType",
                "The parameter - ResourceType should not be null"),
            Refusal(
                "no such type", action, tags.merging(["ResourceType": "bucket"]) { $1 }, 404,
                "InvalidResourceType.NotFound", "The ResourceType provided does not exist in our records."),
            Refusal(
                "no object", action, tags.merging(["ResourceType": "disk"]) { $1 }, 400, "MissingParameter",
                Words.missing("ResourceId")),
            Refusal(
                "no such object", action,
                tags.merging(["ResourceType": "disk", "ResourceId.1": "{disk}", "ResourceId.2": "d-x"]) { $1 }, 404,
                "InvalidResourceId.NotFound", "The specified ResourceIds are not found in our records."),
            Refusal(
                "51 objects", action,
                tags.merging(["ResourceType": "disk"]) { $1 }.merging(Words.list("ResourceId.N", 51)) { $1 }, 400,
                "NumberExceed.ResourceIds", "The ResourceIds parameter's number is exceed , Valid : 50"),
        ]
    }
}
