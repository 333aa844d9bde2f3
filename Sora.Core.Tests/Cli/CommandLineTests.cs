using Xunit;

namespace Sora.Tests.Cli;

public class CommandLineTests
{
    [Fact]
    public async Task HelpNamesEveryOptionWithItsDefault()
    {
        SoraProcess.Result result = await SoraProcess.RunAsync(["generate", "--help"]);

        Assert.Equal(0, result.ExitCode);
        Assert.Empty(result.Error);
        string[] lines = result.Output.Split('\n');
        foreach (string option in new[]
                 {
                     "--output", "--first", "--last", "--known", "--size", "--frames", "--fps", "--steps", "--guidance", "--low-noise-guidance",
                     "--guidance-interval", "--guidance-rescale", "--negative", "--seed", "--count", "--vary", "--vary-strength", "--like", "--few-steps", "--sampler",
                     "--shift", "--model", "--lora", "--lora-high", "--lora-low", "--device", "--precision", "--threads", "--quiet", "--verbose",
                 })
        {
            // A long description goes on in the next lines, so the default stands before the next option.
            int first = Array.FindIndex(lines, line => line.Contains($"{option} ", StringComparison.Ordinal));
            Assert.True(first >= 0, $"{option} is missing");
            int next = Array.FindIndex(lines, first + 1, line => line.TrimStart().StartsWith('-') || line.Length == 0);
            Assert.Contains("[default:", string.Concat(lines[first..next]), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("edit", true)]
    [InlineData("loop", false)]
    public async Task BatchesAreOfferedWhereThereAreSeveralVideos(string command, bool offered)
    {
        SoraProcess.Result result = await SoraProcess.RunAsync([command, "--help"]);
        Assert.Equal(offered, result.Output.Contains("--count <N>", StringComparison.Ordinal));
        Assert.Equal(offered, result.Output.Contains("--batch <N>", StringComparison.Ordinal));
    }

    [Fact]
    public async Task HelpOfTheProgramNamesItsCommands()
    {
        SoraProcess.Result result = await SoraProcess.RunAsync(["--help"]);
        Assert.Equal(0, result.ExitCode);
        foreach (string command in (string[])["generate", "animate", "edit", "extend", "connect", "loop"])
            Assert.Contains($" {command} ", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheVersionIsThatOfTheLibrary()
    {
        SoraProcess.Result result = await SoraProcess.RunAsync(["--version"]);
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(typeof(VideoRequest).Assembly.GetName().Version!.ToString(3), result.Output.Trim());
    }

    public static TheoryData<string[], string> BadRequests => new()
    {
        { [], "A command is missing; known: generate" },
        { ["genrate", "a fish"], "Command 'genrate' is unknown; known: generate" },
        { ["generate"], "The prompt is missing" },
        { ["generate", "  "], "The prompt is empty" },
        { ["generate", "a", "fish"], "'fish' is unexpected; put a text of several words in quotes." },
        { ["generate", "a fish", "--stpes", "4"], "Option '--stpes' is unknown; nearest: --steps;" },
        { ["generate", "--stpes=4", "a fish"], "Option '--stpes' is unknown; nearest: --steps;" },
        { ["generate", "a fish", "--steps"], "--steps" },
        { ["generate", "a fish", "--steps", "few"], "--steps 'few' is not a whole number." },
        { ["generate", "a fish", "--steps", "99999999999"], "--steps '99999999999' is too large a number." },
        { ["generate", "a fish", "--steps", "0"], "Steps 0 is out of range; allowed: 1 to 1000, nearest: 1." },
        { ["generate", "a fish", "--guidance", "NaN"], "GuidanceScale NaN is out of range; allowed: 0 to 100." },
        { ["generate", "a fish", "--guidance-interval", "0.2"], "'0.2' is not a guidance interval: two noise levels from 0 to 1 with a colon between, such as 0.2:0.8." },
        { ["generate", "a fish", "--guidance-interval", "0.8:0.2"], "The guidance interval 0.8:0.2 is empty; nearest: 0.2:0.8." },
        { ["generate", "a fish", "--guidance-rescale", "2"], "GuidanceRescale 2 is out of range; allowed: 0 to 1, nearest: 1." },
        { ["generate", "a fish", "--size", "64"], "--size '64' is not a width and a height in pixels, such as 64x48." },
        { ["generate", "a fish", "--size", "-64x64"], "--size '-64x64' is not a width and a height" },
        { ["generate", "a fish", "--size", "0x64"], "Width 0 is out of range; allowed: 1 to 16384, nearest: 1." },
        { ["generate", "a fish", "--sampler", "unipk"], "Sampler 'unipk' is unknown; known: euler, heun, unipc, dpmpp-2m, lcm, euler-trailing, nearest: unipc." },
        { ["generate", "a fish", "--precision", "fp8"], "Precision 'fp8' is unknown; known: auto, full, bf16, int8." },
        { ["generate", "a fish", "--device", "cudo"], "Device 'cudo' is unknown; known: cpu, cuda" },
        { ["generate", "a fish", "--threads", "0"], "Threads 0 is out of range; allowed: 1 to 1024, nearest: 1." },
        { ["generate", "a fish", "--model", "no/such/model"], "no/such/model" },
        { ["generate", "a fish", "--lora"], "--lora" },
        { ["generate", "a fish", "--lora", "style.safetensors:1000"], "LoRA scale 1000 is out of range; allowed: -100 to 100, nearest: 100." },
    };

    [Theory]
    [MemberData(nameof(BadRequests))]
    public async Task ABadRequestIsOneSentenceAndExitCode2(string[] arguments, string part)
    {
        SoraProcess.Result result = await SoraProcess.RunAsync(arguments);

        Assert.Equal(2, result.ExitCode);
        Assert.Empty(result.Output);
        Assert.StartsWith("sora: ", result.Error, StringComparison.Ordinal);
        Assert.Contains(part, result.Error, StringComparison.Ordinal);
        Assert.Equal(1, result.Error.Count(letter => letter == '\n'));
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VerboseShowsWhereAnErrorArose()
    {
        SoraProcess.Result result = await SoraProcess.RunAsync(["generate", "a fish", "--steps", "0", "--verbose"]);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("   at Sora.", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AWordAfterADoubleDashIsThePrompt()
    {
        SoraProcess.Result result = await SoraProcess.RunAsync(["generate", "--steps", "0", "--", "--a dash"]);
        Assert.Contains("Steps 0 is out of range", result.Error, StringComparison.Ordinal);
    }
}
