import Blocks
import ControlPlane
import Testing

@testable import KingsoftDialect

@Suite struct WireTests {
    @Test("a list has its items wherever its numbers begin, in brackets or after a point, in a form, a query or JSON")
    func lists() throws {
        let forms = [
            "A.0=x&A.1=y", "A.1=x&A.2=y", "A.7=y&A.3=x", "A[0]=x&A[1]=y", "A.1=x&A.2=&A.10=y",
        ]
        for form in forms {
            #expect(try KingsoftParameters(query: form, body: []).list("A") == ["x", "y"], "\(form)")
            #expect(try KingsoftParameters(query: "", body: Array(form.utf8)).list("A") == ["x", "y"], "\(form)")
        }
        let json = try KingsoftParameters(
            query: "", body: Array(#"{"A":["x","y"],"B":7,"C":true,"D":null,"E":[]}"#.utf8))
        #expect(json.list("A") == ["x", "y"] && json["B"] == "7" && json["C"] == "true")
        #expect(json["D"] == nil && json.list("E").isEmpty)
        #expect(try KingsoftParameters(query: "A=x", body: []).list("A") == ["x"])
        let tags = try KingsoftParameters(query: "Tag.1.Key=k&Tag.1.Value=a%20b&Tag.2.Key=l", body: [])
            .structures("Tag")
        #expect(tags.map { $0["Key"] } == ["k", "l"] && tags[0]["Value"] == "a b" && tags[1]["Value"] == nil)
        let objects = try KingsoftParameters(query: "", body: Array(#"{"Tag":[{"Key":"k","Value":"v"}]}"#.utf8))
        #expect(objects.structures("Tag").map { $0["Key"] } == ["k"])
    }

    @Test("what the body says counts, and the two must not disagree on what is asked")
    func twoPlaces() throws {
        let both = try KingsoftParameters(
            query: "Action=A&X.1=query&X.2=query&Y=y", body: Array("Action=A&X.1=body".utf8))
        #expect(both.list("X") == ["body"] && both["Y"] == "y")
        #expect(throws: KingsoftFailure.self) {
            try KingsoftParameters(query: "Action=A", body: Array("Action=B".utf8))
        }
        #expect(throws: KingsoftFailure.self) {
            try KingsoftParameters(query: "Version=1", body: Array(#"{"Version":"2"}"#.utf8))
        }
        #expect(try KingsoftParameters(query: "A=a%2Bb+c&B=", body: [])["A"] == "a+b c")
    }

    @Test("what cannot be read is refused", arguments: ["{", "{\"a\":", "%FF=1", "a=%00", "a.b.c.d.e.f.g.h.i.j=1"])
    func unreadable(_ text: String) {
        #expect(throws: KingsoftFailure.self) { try KingsoftParameters(query: "", body: Array(text.utf8)) }
    }

    @Test("an object's UUID and its id tell each other, and no other UUID is one")
    func ids() throws {
        for id in ["vol-00123456789abcdef", "vol-0ffffffffffffffff", "vol-00000000000000000"] {
            let uuid = try #require(KingsoftID.uuid(id, .volume))
            #expect(
                uuid.utf8.count == 36 && KingsoftID.id(uuid, .volume) == id
                    && KingsoftID.id(uuid.uppercased(), .volume) == id)
            #expect(Array(uuid)[14] == "4" && "89ab".contains(Array(uuid)[19]))
            for place in uuid.indices where uuid[place] != "-" {
                var other = uuid
                other.replaceSubrange(place...place, with: uuid[place] == "0" ? "1" : "0")
                #expect(KingsoftID.id(other, .volume) == nil, "\(other)")
            }
        }
        #expect(
            KingsoftID.uuid("vol-0123", .volume) == nil
                && KingsoftID.id("b01cbcb3-04dd-40c8-bfbb-dc990d54ee68", .volume) == nil)
        let uuid = try #require(KingsoftID.uuid("vol-00123456789abcdef", .volume))
        #expect(
            KingsoftID.translated("the volume vol-00123456789abcdef, is 'vol-00123456789abcdef'; vol-1")
                == "the volume \(uuid), is '\(uuid)'; vol-1")
    }

    @Test("times are those of Beijing")
    func times() throws {
        let time = try #require(WallTime("2026-11-21T17:32:14.123Z"))
        #expect(KingsoftTime.text(time) == "2026-11-22 01:32:14" && KingsoftTime.day(time) == "2026-11-22")
        #expect(KingsoftTime.time("2026-11-22T01:32:14") == WallTime("2026-11-21T17:32:14Z"))
        for wrong in ["", "2026-11-22", "2026-13-22T01:32:14", "2026-11-22T01:32:14Z"] {
            #expect(KingsoftTime.time(wrong) == nil)
        }
    }

    @Test("an answer is the same in JSON and in XML, with every mark escaped")
    func answers() {
        let fields = KingsoftFields.with { fields in
            fields.add("Text", "a\"b\\<&>'\u{1}")
            fields.add("Number", 7)
            fields.add("List", [KingsoftFields.done])
            fields.add("Empty", [KingsoftFields]())
        }
        let json = KingsoftAnswer.success(fields, of: "Do", requestID: "id", isJSON: true)
        #expect(
            json.body
                == #"{"RequestId":"id","Text":"a\"b\\<&>'\u0001","Number":7,"List":[{"Return":true}],"Empty":[]}"#)
        let xml = KingsoftAnswer.success(fields, of: "Do", requestID: "id", isJSON: false)
        #expect(
            xml.body.hasSuffix(
                "<DoResponse><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata>"
                    + "<Text>a&quot;b\\&lt;&amp;&gt;&apos;\u{fffd}</Text><Number>7</Number>"
                    + "<List><item><Return>true</Return></item></List><Empty></Empty></DoResponse>"))
        let failure = KingsoftAnswer.refusal(.noVolume, requestID: "id", isJSON: true)
        #expect(
            failure.status == 404
                && failure.body
                    == #"{"RequestId":"id","Error":{"Type":"Sender","Code":"VolumeCanNotFoundError","Message":"The volume can not be found."}}"#
        )
    }

    @Test("a filter that is sent as a list, by a word or twice never lets through what it does not name")
    func filtersAsLists() async throws {
        let counter = try await Counter()
        let volume = try await counter.volume("SSD3.0", ["VolumeName": "wanted"])
        let other = try await counter.volume("SSD3.0", ["VolumeName": "other"])
        func found(_ parameters: [String: String]) async throws -> [String] {
            try await counter.ask("DescribeVolumes", parameters).list("Volumes").compactMap {
                $0["VolumeId"] as? String
            }
        }
        #expect(try await found(["VolumeExactName.1": "wanted"]) == [volume])
        #expect(try await found(["VolumeExactName.1": "wanted", "VolumeExactName.2": "other"]).isEmpty)
        #expect(try await found(["VolumeId.a": other]) == [other])
        await counter.house.close()
    }
}
