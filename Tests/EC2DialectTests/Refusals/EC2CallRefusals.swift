import Blocks
import ControlPlane
import TestSupport

@testable import EC2Dialect

/// What no action is asked for rightly, whichever it is: section 2 of the wire contract.
enum EC2CallRefusals {
    static let table = RefusalTable(
        "what every action says",
        in: {
            var scene = try await EC2Scene()
            for _ in 0..<8 {
                scene["volume"] = try await scene.volume { $0.tags = ["k": String(repeating: "a", count: 256)] }
            }
            return scene
        }, requests + pages + filters + tags)

    private static let requests = [
        Refusal("no action", "", [:], "MissingAction", "The request must contain the parameter Action"),
        Refusal("no such action", "Nope", [:], "InvalidAction", "The action Nope is not valid for this web service."),
        Refusal(
            "no version", "DescribeVolumes", ["Version": "none"], "MissingParameter",
            "The request must contain the parameter Version"),
        Refusal(
            "no such version", "DescribeVolumes", ["Version": "2017-01-01"], "NoSuchVersion",
            "The requested version (2017-01-01) of service AmazonEC2 does not exist"),
        Refusal(
            "a name that is not ASCII", "DescribeVolumes", ["é": "1"], "MalformedQueryString",
            "The query string contains a syntax error: the parameter name é is not ASCII."),
        Refusal(
            "what XML does not allow", "DescribeVolumes", ["A": "\u{1}"], "InvalidParameter",
            "Value for parameter A is invalid. It is not UTF-8, or has characters that XML does not allow."),
        Refusal(
            "a long name", "DescribeVolumes", ["a.b.c.d.e.f.g.h.i.j.k.l.m": "1"], "InvalidParameter",
            "The parameter a.b.c.d.e.f.g.h.i.j.k.l.m has more than 12 parts."),
        Refusal(
            "too many parameters", "DescribeVolumes", numbered("N", 10_000), "InvalidParameter",
            "The request has more than 10000 parameters."),
        Refusal(
            "neither true nor false", "DescribeVolumes", ["DryRun": "maybe"], "InvalidParameterValue",
            "Value (maybe) for parameter dryRun is invalid. Value must be true or false."),
        Refusal(
            "no number", "CreateVolume", ["AvailabilityZone": "{zone}", "Size": "x"], "InvalidParameterValue",
            "Value (x) for parameter size is invalid. Value must be an integer."),
        Refusal(
            "only tried", "CreateSnapshot", ["VolumeId": "{volume}", "DryRun": "true"], 412, "DryRunOperation",
            "Request would have succeeded, but DryRun flag is set."),
        Refusal(
            "a reader's key", "DeleteVolume", ["VolumeId": "{volume}"], 403, "UnauthorizedOperation",
            "You are not authorized to perform this operation."
        ).ofReader,
        Refusal(
            "a long token", "CreateVolume",
            ["AvailabilityZone": "{zone}", "Size": "1", "ClientToken": String(repeating: "t", count: 65)],
            "InvalidParameterValue", "Client token must be less than or equal to 64 characters."),
    ]

    private static let pages = [
        Refusal(
            "a small page", "DescribeVolumes", ["MaxResults": "4"], "InvalidParameterValue",
            "Value ( 4 ) for parameter maxResults is invalid. Expecting a value greater than 5."),
        Refusal(
            "a small page of modifications", "DescribeVolumesModifications", ["MaxResults": "4"],
            "InvalidParameterValue",
            "Value ( 4 ) for parameter MaxResults is invalid. Expecting a value greater than 5."),
        Refusal(
            "ids and a page", "DescribeVolumes", ["VolumeId.1": "{volume}", "MaxResults": "5"],
            "InvalidParameterCombination", "The parameter volumeIdsSet cannot be used with the parameter maxResults"),
        Refusal(
            "ids and a token", "DescribeVolumesModifications", ["VolumeId.1": "{volume}", "NextToken": "t"],
            "InvalidParameterCombination",
            "The parameter volumeModificationSet cannot be used with the parameter nextToken"),
        Refusal(
            "a token of nobody's", "DescribeSnapshots", ["NextToken": "t"], "InvalidParameterValue",
            "Unable to parse pagination token"),
        Refusal(
            "a token of nobody's, of modifications", "DescribeVolumesModifications", ["NextToken": "t"],
            "InvalidParameterValue", "Value ( t ) for parameter NextToken is invalid. The token is Invalid."),
    ]

    private static let filters = [
        Refusal(
            "no such filter", "DescribeVolumes", ["Filter.1.Name": "x", "Filter.1.Value.1": "y"],
            "InvalidParameterValue", "The filter 'x' is invalid"),
        Refusal(
            "no filter's name", "DescribeVolumes", ["Filter.1.Value.1": "y"], "MissingParameter",
            "The request must contain the parameter filter name"),
        Refusal(
            "201 values", "DescribeVolumes",
            ["Filter.1.Name": "size"].merging(numbered("Filter.1.Value.N", 201)) { $1 },
            "FilterLimitExceeded", "The maximum number of filter values specified on a single call is 200."),
        Refusal(
            "patterns that take long", "DescribeVolumes",
            ["Filter.1.Name": "tag:k"].merging(
                numbered("Filter.1.Value.N", 200) { _ in "*" + String(repeating: "a", count: 128) + "b" }
            ) { $1 },
            "FilterLimitExceeded", "The filters take too long to compare: use fewer wildcards."),
    ]

    private static func tag(
        _ situation: String, _ change: [String: String], _ code: String, _ message: String
    ) -> Refusal {
        let usual = ["VolumeId": "{volume}", "TagSpecification.1.ResourceType": "snapshot"]
        return Refusal(situation, "CreateSnapshot", usual.merging(change) { $1 }, code, message)
    }

    private static let tags = [
        tag(
            "of nothing", ["TagSpecification.1.ResourceType": ""], "MissingParameter",
            "The request must contain the parameter TagSpecification.ResourceType"),
        tag(
            "of something else", ["TagSpecification.1.ResourceType": "volume"], "InvalidParameterValue",
            "'volume' is not a valid taggable resource type for this operation."),
        tag(
            "without a key", ["TagSpecification.1.Tag.1.Value": "v"], "InvalidParameterValue",
            "Tag key cannot be empty."),
        tag(
            "Amazon's own", ["TagSpecification.1.Tag.1.Key": "aws:x"], "InvalidParameterValue",
            "Tag keys starting with 'aws:' are reserved for internal use"),
        tag(
            "one twice", ["TagSpecification.1.Tag.1.Key": "k", "TagSpecification.1.Tag.2.Key": "k"],
            "InvalidParameterValue", "Duplicate tag key 'k' specified."),
        tag(
            "a long key", ["TagSpecification.1.Tag.1.Key": String(repeating: "k", count: 129)],
            "InvalidParameterValue", "Tag key exceeds the maximum length of 128 characters"),
        tag(
            "a long value",
            [
                "TagSpecification.1.Tag.1.Key": "k",
                "TagSpecification.1.Tag.1.Value": String(repeating: "v", count: 257),
            ],
            "InvalidParameterValue", "Tag value exceeds the maximum length of 256 characters"),
        tag(
            "51 of them", numbered("TagSpecification.1.Tag.N.Key", 51), "TagLimitExceeded",
            "The maximum number of Tags for a resource has been reached."),
        Refusal(
            "no tags", "CreateTags", ["ResourceId.1": "{volume}"], "MissingParameter",
            "The request must contain the parameter tagSet"),
        Refusal(
            "no objects", "CreateTags", ["Tag.1.Key": "k"], "MissingParameter",
            "The request must contain the parameter resourceIdSet"),
        Refusal(
            "one twice", "CreateTags", ["Tag.1.Key": "k", "Tag.2.Key": "k"], "InvalidParameterValue",
            "Duplicate tag key 'k' specified."),
        Refusal(
            "an odd id", "CreateTags", ["ResourceId.1": "x-1", "Tag.1.Key": "k"], "InvalidID",
            "The ID 'x-1' is not valid"),
        Refusal(
            "without a key", "DeleteTags", ["ResourceId.1": "{volume}", "Tag.1.Value": "v"], "InvalidParameterValue",
            "Tag key cannot be empty."),
        Refusal(
            "more than it can have", "CreateTags",
            ["ResourceId.1": "{volume}"].merging(numbered("Tag.N.Key", 50)) { $1 }, "TagLimitExceeded",
            "{volume} would have 51 tags: at most 50 are allowed"),
    ]
}
