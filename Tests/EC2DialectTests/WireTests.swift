import Testing

@testable import EC2Dialect

@Suite struct RequestParametersTests {
    @Test("flattened lists and structures come back in the order of their numbers")
    func lists() throws {
        let parameters = try RequestParameters([
            "Action=DescribeVolumes&Filter.2.Name=size&Filter.1.Name=tag%3Aa&Filter.1.Value.2=y&Filter.1.Value.1=x+y",
            "VolumeId.10=c&VolumeId.2=b&VolumeId.1=a",
        ])
        #expect(parameters["Action"] == "DescribeVolumes")
        #expect(parameters.list("VolumeId") == ["a", "b", "c"])
        let filters = parameters.structures("Filter")
        #expect(filters.map { $0["Name"] } == ["tag:a", "size"])
        #expect(filters.first?.list("Value") == ["x y", "y"])
        #expect(parameters["Filter.1.Value.2"] == "y")
        #expect(parameters["volumeid"] == nil && !parameters.has("Filter.3"))
    }

    @Test("the first of two equal names counts; a name without a value is empty")
    func repeated() throws {
        let parameters = try RequestParameters(["A=1&A=2&B&=3&C="])
        #expect(parameters["A"] == "1" && parameters["B"] == "" && parameters["C"] == "")
    }

    @Test(
        "what is not UTF-8, what XML cannot show, and too much of anything are refused",
        arguments: [
            "A=%ff", "A=%00", "A=%1b%5b", "%c3%28=1", "A=%ed%a0%80", "A=%ef%bf%bf",
            String(repeating: "a.", count: 20) + "b=1",
            (0...RequestParameters.countMax).map { "a\($0)=" }.joined(separator: "&"),
        ])
    func refused(_ text: String) {
        #expect(throws: EC2Failure.self) { try RequestParameters([text]) }
    }

    @Test(
        "a name that is not ASCII is an error of the query string, as Amazon has it; a value need not be",
        arguments: ["é", "e%CC%81"])
    func strangeName(_ name: String) throws {
        let failure = #expect(throws: EC2Failure.self) { try RequestParameters(["A=1&\(name)=1"]) }
        #expect(failure?.code == "MalformedQueryString" && failure?.status == 400)
        #expect(try RequestParameters(["A=\(name)"])["A"] == "é")
    }

    @Test("flags and numbers are read, or refused by name")
    func values() throws {
        let parameters = try RequestParameters(["A=true&B=False&C=1&D=x&E=-5&F=99999999999999999999"])
        #expect(try parameters.flag("A") == true && parameters.flag("B") == false && parameters.flag("Z") == nil)
        #expect(try parameters.number("E") == -5)
        #expect(throws: EC2Failure.self) { try parameters.flag("C") }
        #expect(throws: EC2Failure.self) { try parameters.number("D") }
        #expect(throws: EC2Failure.self) { try parameters.number("F") }
    }
}

@Suite struct AnswerTests {
    @Test("an answer has its action, its version's namespace and the request's id first")
    func success() {
        let answer = EC2Answer.success("DescribeVolumes", version: "2014-02-01", requestID: "r-1") { writer in
            writer.list("volumeSet", ["a<b>&\"'\r\n", "\u{1}"]) { $0.add("volumeId", $1) }
            writer.list("none", [String]()) { $0.add("x", $1) }
            writer.add("nothing", String?.none)
            writer.add("encrypted", false)
        }
        #expect(
            answer.body == """
                <?xml version="1.0" encoding="UTF-8"?>
                <DescribeVolumesResponse xmlns="http://ec2.amazonaws.com/doc/2014-02-01/"><requestId>r-1</requestId><volumeSet>\
                <item><volumeId>a&lt;b&gt;&amp;&quot;&apos;&#13;
                </volumeId></item><item><volumeId>\u{fffd}</volumeId></item></volumeSet><none/><encrypted>false</encrypted>\
                </DescribeVolumesResponse>
                """)
    }

    @Test("a refusal has code, message and RequestID, and keeps what is for the log to itself")
    func refusal() {
        let answer = EC2Answer.refusal(.unexpected("disk 7 at /secret"), requestID: "r-2")
        #expect(answer.status == 500 && answer.logged == "disk 7 at /secret")
        #expect(
            answer.body == """
                <?xml version="1.0" encoding="UTF-8"?>
                <Response><Errors><Error><Code>InternalError</Code><Message>An internal error has occurred</Message></Error>\
                </Errors><RequestID>r-2</RequestID></Response>
                """)
    }
}

@Suite struct FilterTests {
    private func filters(_ text: String) throws(EC2Failure) -> Filters {
        try Filters(RequestParameters([text]), known: ["status", "size", "tag:", "tag-key", "tag-value"])
    }

    @Test("values are alternatives, filters must all hold, tags are looked up by key")
    func match() throws {
        let tags = [Tag(key: "env", value: "prod-1"), Tag(key: "a:b", value: "")]
        let object = ["status": ["available"], "size": ["8"]]
        func matches(_ text: String) throws -> Bool { try filters(text).match(tags: tags) { object[$0] ?? [] } }
        #expect(try matches(""))
        #expect(try matches("Filter.1.Name=status&Filter.1.Value.1=in-use&Filter.1.Value.2=avail*"))
        #expect(try !matches("Filter.1.Name=status&Filter.1.Value.1=available&Filter.2.Name=size&Filter.2.Value.1=9"))
        #expect(try matches("Filter.1.Name=tag:env&Filter.1.Value.1=prod-?"))
        #expect(try matches("Filter.1.Name=tag:a:b&Filter.1.Value.1="))
        #expect(
            try matches("Filter.1.Name=tag-key&Filter.1.Value.1=env")
                && !matches("Filter.1.Name=tag-value&Filter.1.Value.1=x"))
        #expect(try !matches("Filter.1.Name=status"), "no value matches nothing")
    }

    @Test("unknown names and too many values are refused")
    func refused() {
        let failure = #expect(throws: EC2Failure.self) { try filters("Filter.1.Name=colour&Filter.1.Value.1=x") }
        #expect(failure == EC2Failure("InvalidParameterValue", "The filter 'colour' is invalid"))
        #expect(throws: EC2Failure.self) { try filters("Filter.1.Name=tag:&Filter.1.Value.1=x") }
        let many = (1...201).map { "Filter.1.Value.\($0)=x" }.joined(separator: "&")
        #expect(throws: EC2Failure.self) { try filters("Filter.1.Name=size&" + many) }
    }

    @Test(
        "wildcards",
        arguments: [
            ("", "", true), ("", "a", false), ("*", "", true), ("a*", "a", true), ("*b", "ab", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false), ("*a*b*", "xxayybzz", true), ("*a*b*", "xxbyyazz", false), ("\\*", "*", true),
            ("\\*", "a", false), ("a\\", "a\\", true), ("??", "äö", true), ("*.*", "a.b.c", true),
            ("a**c", "abc", true),
        ])
    func wildcards(_ pattern: String, _ text: String, _ isMatch: Bool) {
        var steps = 0
        #expect(Wildcard(pattern).matches(Array(text.unicodeScalars), &steps) == isMatch)
    }

    @Test("a pattern made to take long does not")
    func hostilePattern() throws {
        let hostile = "Filter.1.Name=status&Filter.1.Value.1=*" + String(repeating: "a", count: 5000) + "b"
        let filters = try filters(hostile)
        let text = String(repeating: "a", count: 10_000)
        let failure = #expect(throws: EC2Failure.self) { try filters.match(tags: []) { _ in [text] } }
        #expect(failure?.code == "FilterLimitExceeded")
    }
}
