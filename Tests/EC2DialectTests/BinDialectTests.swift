import Blocks
import ControlPlane
import Foundation
import TestSupport
import Testing

@testable import EC2Dialect

/// The Recycle Bin: its rules over REST, and what is in it over EC2.
@Suite struct BinDialectTests {
    private struct Setting {
        let scratch: ScratchDirectory
        let house: House
        let stranger: Caller

        init() async throws {
            scratch = try ScratchDirectory("varve-rbin")
            house = try await House.open(HousePlan(data: scratch.path + "/data"), exports: Board())
            let account = try await house.accounts.create(named: "others").id
            stranger = Caller(account: account, principal: "eve", role: .administrator)
        }

        func ask(
            _ method: String, _ path: String, _ body: String = "", query: String = "", as caller: Caller = .root
        ) async -> DirectAnswer {
            await BinDialect(house).answer(
                DirectRequest(method: method, path: path, query: query, body: Array(body.utf8)), for: caller)
        }

        func ec2(_ query: String, as caller: Caller = .root) async -> EC2Answer {
            await EC2Dialect(house) { "id" }.answer(EC2Request(sources: ["Version=2016-11-15&" + query]), for: caller)
        }

        func rule(_ type: String, days: Int = 7, _ more: String = "") async throws -> String {
            let answer = await ask("POST", "/rules", Self.rule(type, days: days, more))
            #expect(answer.status == 201, "\(answer.text)")
            return try #require(answer.object["Identifier"] as? String)
        }

        static func rule(_ type: String, days: Int = 7, _ more: String = "") -> String {
            """
            {"RetentionPeriod":{"RetentionPeriodValue":\(days),"RetentionPeriodUnit":"DAYS"},"ResourceType":"\(type)"\(more)}
            """
        }
    }

    @Test("a rule's life: made, looked at, changed, listed, locked, unlocked, tagged, deleted")
    func life() async throws {
        let setting = try await Setting()
        let made = await setting.ask(
            "POST", "/rules",
            Setting.rule(
                "EBS_SNAPSHOT", days: 30,
                """
                ,"Description":"keep","Tags":[{"Key":"a","Value":"b"}]
                """))
        let id = try #require(made.object["Identifier"] as? String)
        let arn = "arn:aws:rbin:us-east-1:100000000000:rule/\(id)"
        #expect(made.status == 201 && id.utf8.count == 11)
        #expect(
            made.text
                == """
                {"Description":"keep","ExcludeResourceTags":[],"Identifier":"\(id)","LockState":"unlocked","ResourceTags":[],\
                "ResourceType":"EBS_SNAPSHOT","RetentionPeriod":{"RetentionPeriodUnit":"DAYS","RetentionPeriodValue":30},\
                "RuleArn":"\(arn)","Status":"available","Tags":[{"Key":"a","Value":"b"}]}
                """)
        let shown = await setting.ask("GET", "/rules/\(id)")
        #expect(shown.status == 200 && shown.object["Tags"] == nil && shown.object["RuleArn"] as? String == arn)
        let changed = await setting.ask(
            "PATCH", "/rules/\(id)",
            """
            {"RetentionPeriod":{"RetentionPeriodValue":9,"RetentionPeriodUnit":"DAYS"},"ResourceType":"EBS_SNAPSHOT"}
            """)
        #expect(changed.status == 200 && changed.text.contains(#""RetentionPeriodValue":9"#))
        #expect(changed.object["Description"] as? String == "keep")
        let listed = await setting.ask("POST", "/list-rules", #"{"ResourceType":"EBS_SNAPSHOT"}"#)
        #expect(
            listed.text
                == """
                {"Rules":[{"Description":"keep","Identifier":"\(id)","LockState":"unlocked",\
                "RetentionPeriod":{"RetentionPeriodUnit":"DAYS","RetentionPeriodValue":9},"RuleArn":"\(arn)"}]}
                """)

        let delay = #"{"LockConfiguration":{"UnlockDelay":{"UnlockDelayValue":7,"UnlockDelayUnit":"DAYS"}}}"#
        let locked = await setting.ask("PATCH", "/rules/\(id)/lock", delay)
        #expect(locked.status == 200 && locked.object["LockState"] as? String == "locked")
        #expect(locked.object["LockConfiguration"] != nil && locked.object["LockEndTime"] == nil)
        let refused = await setting.ask("DELETE", "/rules/\(id)")
        #expect(refused.status == 409 && refused.object["Reason"] as? String == "INVALID_RULE_STATE")
        #expect(refused.errorType == "ConflictException")
        let before = Double(SystemClock().now().milliseconds) / 1000
        let unlocking = await setting.ask("PATCH", "/rules/\(id)/unlock")
        let end = try #require(unlocking.object["LockEndTime"] as? Double)
        #expect(unlocking.object["LockState"] as? String == "pending_unlock")
        #expect(abs(end - before - 7 * 86_400) < 60)
        for (state, count) in [("locked", 0), ("pending_unlock", 1), ("unlocked", 0)] {
            let found = await setting.ask(
                "POST", "/list-rules", #"{"ResourceType":"EBS_SNAPSHOT","LockState":"\#(state)"}"#)
            #expect((found.object["Rules"] as? [Any])?.count == count)
        }

        for path in [arn, arn.replacingOccurrences(of: ":", with: "%3A").replacingOccurrences(of: "/", with: "%2F")] {
            let tagged = await setting.ask("POST", "/tags/\(path)", #"{"Tags":[{"Key":"c d+e","Value":""}]}"#)
            #expect(tagged.status == 201, "\(tagged.text)")
            let tags = await setting.ask("GET", "/tags/\(path)")
            #expect(tags.text == #"{"Tags":[{"Key":"a","Value":"b"},{"Key":"c d+e","Value":""}]}"#)
            let untagged = await setting.ask("DELETE", "/tags/\(path)", query: "tagKeys=c%20d%2Be&tagKeys=x")
            #expect(untagged.status == 204 && untagged.body.isEmpty)
        }
        let other = try await setting.rule("EBS_VOLUME")
        #expect(await setting.ask("DELETE", "/rules/\(other)").status == 204)
        #expect(await setting.ask("GET", "/rules/\(other)").status == 404)
        await setting.house.close()
    }

    @Test("rules are listed by type and tags, page by page")
    func pages() async throws {
        let setting = try await Setting()
        var ids: [String] = []
        for _ in 0..<5 { ids.append(try await setting.rule("EBS_VOLUME")) }
        let tags = #","ResourceTags":[{"ResourceTagKey":"a","ResourceTagValue":"b"},{"ResourceTagKey":"c"}]"#
        let tagged = try await setting.rule("EBS_SNAPSHOT", tags)
        _ = try await setting.rule("EBS_SNAPSHOT")
        var token = "", found: [String] = []
        repeat {
            let page = await setting.ask(
                "POST", "/list-rules", #"{"ResourceType":"EBS_VOLUME","MaxResults":2,"NextToken":"\#(token)"}"#)
            let rules = try #require(page.object["Rules"] as? [[String: Any]])
            #expect(rules.count <= 2)
            found += rules.compactMap { $0["Identifier"] as? String }
            token = page.object["NextToken"] as? String ?? ""
            #expect(token.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+/=".contains($0)) })
            if !token.isEmpty {
                let stolen = await setting.ask(
                    "POST", "/list-rules", #"{"ResourceType":"EBS_VOLUME","NextToken":"\#(token)"}"#,
                    as: setting.stranger)
                #expect(stolen.status == 400 && stolen.object["Reason"] as? String == "INVALID_PAGE_TOKEN")
            }
        } while !token.isEmpty
        #expect(found == ids.sorted())
        let some = await setting.ask(
            "POST", "/list-rules",
            #"{"ResourceType":"EBS_SNAPSHOT","ResourceTags":[{"ResourceTagKey":"a","ResourceTagValue":"b"}]}"#)
        #expect((some.object["Rules"] as? [[String: Any]])?.map { $0["Identifier"] as? String } == [tagged])
        await setting.house.close()
    }

    @Test("mistakes are the client's, in the Recycle Bin's words, and another account's rule is nobody's")
    func mistakes() async throws {
        let setting = try await Setting()
        let id = try await setting.rule("EBS_SNAPSHOT"), nobodys = "0123456789a"
        let bodies = [
            "", "{", "[]", "null", "{}", #"{"ResourceType":7}"#,
            #"{"ResourceType":"EBS_SNAPSHOT","RetentionPeriod":{}}"#,
            Setting.rule("EBS_THING"), Setting.rule("EBS_VOLUME", days: 0), Setting.rule("EBS_VOLUME", days: 3651),
            Setting.rule("EBS_VOLUME", #","ResourceTags":[{}]"#), Setting.rule("EBS_VOLUME", #","Description":"a\nb""#),
            Setting.rule(
                "EBS_VOLUME",
                #","ResourceTags":[{"ResourceTagKey":"a"}],"ExcludeResourceTags":[{"ResourceTagKey":"b"}]"#),
            Setting.rule("EBS_VOLUME").replacingOccurrences(of: "DAYS", with: "YEARS"),
            #"{"ResourceType":"EBS_VOLUME","RetentionPeriod":{"RetentionPeriodUnit":"DAYS","RetentionPeriodValue":1e99}}"#,
        ]
        for body in bodies {
            let answer = await setting.ask("POST", "/rules", body)
            #expect(answer.status == 400 && answer.errorType == "ValidationException", "\(body): \(answer.text)")
            #expect(answer.object["Reason"] as? String == "INVALID_PARAMETER_VALUE")
        }
        #expect(await setting.ask("PATCH", "/rules/\(id)", #"{"ResourceType":"EBS_VOLUME"}"#).status == 400)
        #expect(await setting.ask("GET", "/rules/x").status == 400)
        #expect(await setting.ask("PUT", "/rules").status == 404)
        #expect(await setting.ask("DELETE", "/tags/arn:aws:rbin:us-east-1:100000000000:rule/\(id)").status == 400)
        for (method, end, body) in [
            ("GET", "", ""), ("PATCH", "", #"{"Description":"mine"}"#), ("DELETE", "", ""), ("PATCH", "/unlock", ""),
            (
                "PATCH", "/lock",
                #"{"LockConfiguration":{"UnlockDelay":{"UnlockDelayValue":7,"UnlockDelayUnit":"DAYS"}}}"#
            ),
        ] {
            let own = await setting.ask(method, "/rules/\(id)\(end)", body, as: setting.stranger)
            let none = await setting.ask(method, "/rules/\(nobodys)\(end)", body, as: setting.stranger)
            #expect(own.status == 404 && own.object["Reason"] as? String == "RULE_NOT_FOUND", "\(method) \(end)")
            #expect(own.text.replacingOccurrences(of: id, with: nobodys) == none.text && own.status == none.status)
        }
        for account in ["100000000000", setting.stranger.account] {
            let theirs = await setting.ask(
                "GET", "/tags/arn:aws:rbin:us-east-1:\(account):rule/\(id)", as: setting.stranger)
            #expect(theirs.status == 404, "\(theirs.text)")
        }
        let list = await setting.ask("POST", "/list-rules", #"{"ResourceType":"EBS_SNAPSHOT"}"#, as: setting.stranger)
        #expect(list.text == #"{"Rules":[]}"#)
        let reader = Caller(account: "100000000000", principal: "ann", role: .reader)
        #expect(await setting.ask("DELETE", "/rules/\(id)", as: reader).status == 403)
        #expect(await setting.ask("GET", "/rules/\(id)", as: reader).status == 200)
        await setting.house.close()
    }

    @Test("what EC2 deletes is listed in the bin, can be tagged, is nobody else's, and comes back")
    func contents() async throws {
        let setting = try await Setting()
        _ = try await setting.rule("EBS_SNAPSHOT")
        _ = try await setting.rule("EBS_VOLUME", days: 3650)
        let volume = try await setting.house.volumes.create(CreateVolume(size: .gibibytes(1))).id
        let snapshot = try await setting.house.snapshots.create(CreateSnapshot(volume: volume, description: "d")).id
        _ = try await setting.house.snapshots.wait(for: snapshot)
        #expect(await setting.ec2("Action=DeleteSnapshot&SnapshotId=\(snapshot)").status == 200)
        #expect(await setting.ec2("Action=DeleteVolume&VolumeId=\(volume)").status == 200)
        for (action, id) in [
            ("DescribeSnapshots", "SnapshotId.1=\(snapshot)"), ("DeleteSnapshot", "SnapshotId=\(snapshot)"),
        ] {
            #expect(await setting.ec2("Action=\(action)&\(id)").body.contains("InvalidSnapshot.NotFound"))
        }
        for (action, id) in [("DescribeVolumes", "VolumeId.1=\(volume)"), ("DeleteVolume", "VolumeId=\(volume)")] {
            #expect(await setting.ec2("Action=\(action)&\(id)").body.contains("InvalidVolume.NotFound"))
        }
        let snapshots = await setting.ec2("Action=ListSnapshotsInRecycleBin&SnapshotId.1=\(snapshot)")
        #expect(snapshots.body.contains("<snapshotId>\(snapshot)</snapshotId><recycleBinEnterTime>"))
        #expect(snapshots.body.contains("<description>d</description><volumeId>\(volume)</volumeId>"))
        let volumes = await setting.ec2("Action=ListVolumesInRecycleBin")
        #expect(
            volumes.body.contains("<volumeId>\(volume)</volumeId><volumeType>gp2</volumeType><state>available</state>"))
        #expect(await setting.ec2("Action=CreateTags&ResourceId.1=\(snapshot)&Tag.1.Key=k&Tag.1.Value=v").status == 200)
        let tags = await setting.ec2("Action=DescribeTags&Filter.1.Name=resource-id&Filter.1.Value.1=\(snapshot)").body
        #expect(tags.contains("<key>aws:recycle-bin:resource-in-bin</key><value>true</value>"))
        #expect(tags.contains("<key>k</key><value>v</value>"))

        for (action, id) in [
            ("RestoreSnapshotFromRecycleBin", "SnapshotId=\(snapshot)"),
            ("RestoreVolumeFromRecycleBin", "VolumeId=\(volume)"),
            ("ListSnapshotsInRecycleBin", "SnapshotId.1=\(snapshot)"),
            ("ListVolumesInRecycleBin", "VolumeId.1=\(volume)"),
            ("CreateTags", "ResourceId.1=\(snapshot)&Tag.1.Key=k&Tag.1.Value=v"),
        ] {
            let theirs = await setting.ec2("Action=\(action)&\(id)", as: setting.stranger)
            #expect(theirs.status == 400 && theirs.body.contains(".NotFound"), "\(action): \(theirs.body)")
        }
        #expect(await setting.ec2("Action=ListVolumesInRecycleBin", as: setting.stranger).body.contains("<volumeSet/>"))

        let dry = await setting.ec2("Action=RestoreSnapshotFromRecycleBin&SnapshotId=\(snapshot)&DryRun=true")
        #expect(dry.status == 412)
        let restored = await setting.ec2("Action=RestoreSnapshotFromRecycleBin&SnapshotId=\(snapshot)")
        #expect(
            restored.body.contains("<status>completed</status>") && restored.body.contains("<progress>100%</progress>"))
        #expect(
            await setting.ec2("Action=RestoreVolumeFromRecycleBin&VolumeId=\(volume)").body.contains(
                "<return>true</return>"))
        let again = await setting.ec2("Action=RestoreVolumeFromRecycleBin&VolumeId=\(volume)")
        #expect(again.body.contains("<Code>InvalidVolume.NotFound</Code>"))
        #expect(await setting.ec2("Action=DescribeSnapshots&SnapshotId.1=\(snapshot)").body.contains(">completed<"))
        #expect(await setting.ec2("Action=DescribeVolumes&VolumeId.1=\(volume)").status == 200)
        let tagsAfter = await setting.ec2("Action=DescribeTags").body
        #expect(!tagsAfter.contains("aws:recycle-bin") && tagsAfter.contains("<key>k</key>"))
        await setting.house.close()
    }
}

extension DirectAnswer {
    fileprivate var text: String { String(decoding: body, as: UTF8.self) }
    fileprivate var object: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any] ?? [:]
    }
    fileprivate var errorType: String? { headers.first { $0.name == "x-amzn-ErrorType" }?.value }
}
