using Sora.Frames;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Generation;

/// <summary>The LoRA that the repository brings with its model: four steps without guidance in place of twenty with it.</summary>
public sealed class FewStepsTests
{
    [Fact]
    public async Task FourUnguidedStepsOfTheLoraComeNearerToTwentyGuidedOnesThanWithoutIt()
    {
        string lora = Path.Combine(Path.GetDirectoryName(PocketModel.Folder)!, "pocket-few-steps.safetensors");
        using VideoGenerator generator = await VideoGenerator.LoadAsync(PocketModel.Folder, new() { Device = "cpu", Threads = 1 });
        // Two of sixteen prompts over which it is 7 % on average (docs/pocket-model.md), of those where it is most.
        VideoRequest[] many = [new("a green rabbit grows on a city street") { Seed = 9 }, new("a dog shrinks in starry space") { Seed = 10 }];
        VideoRequest[] few = [.. many.Select(request => request with { Sampler = Sampler.EulerTrailing, Steps = 4, GuidanceScale = 1 })];
        byte[][] goal = await FramesAsync(generator, many), without = await FramesAsync(generator, few);
        await generator.SetLorasAsync([new LoraFile(lora)]);
        byte[][] with = await FramesAsync(generator, few);

        double near = Distance(goal, with), far = Distance(goal, without);
        Assert.True(near < 0.95 * far, $"with the LoRA the frames are {near:F2} of 255 away, without {far:F2}");
    }

    private static async Task<byte[][]> FramesAsync(VideoGenerator generator, VideoRequest[] requests)
    {
        var videos = new List<byte[]>();
        foreach (VideoRequest request in requests)
        {
            await using GeneratedVideo video = await generator.GenerateAsync(request);
            videos.Add([.. video.Frames.SelectMany((VideoFrame frame) => frame.Rgb.ToArray())]);
        }
        return [.. videos];
    }

    private static double Distance(byte[][] goal, byte[][] videos) =>
        goal.Zip(videos, (a, b) => a.Zip(b, (x, y) => (double)Math.Abs(x - y)).Average()).Average();
}
