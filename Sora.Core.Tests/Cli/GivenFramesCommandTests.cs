using Sora.Conditioning;
using Sora.Frames;
using Sora.Latents;
using Sora.Tests.Conditioning;
using Sora.Tests.Generation;
using Sora.Tests.Weights;
using Sora.VideoVae;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Cli;

/// <summary><c>sora animate</c>, <c>sora edit</c> and the pictures of <c>sora generate</c>, from files to files.</summary>
public sealed class GivenFramesCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public GivenFramesCommandTests()
    {
        WriteImage("red.png", 1);
        WriteImage("blue.png", 4);
        WriteImage("wide.png", 3, width: 80, height: 40);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AnimateBeginsWithThePicture()
    {
        VideoFrame[] animated = await RunAsync("animate", "red.png", "the fish swims", "--frames", "5", "--seed", "7");
        Assert.Equal(5, animated.Length);
        byte[] library = await ViaLibraryAsync(new VideoRequest("the fish swims") { FrameCount = 5, Seed = 7, KnownFrames = [new(0, ReadImage("red.png"))] });
        Assert.Equal(library, Pixels.Of(animated));
    }

    [Fact]
    public async Task GenerateTakesPicturesAtAnyPlaceAndCutsThemToSize()
    {
        VideoFrame[] made = await RunAsync("generate", "a fish", "--frames", "9", "--seed", "7", "--first", "red.png", "--known", "wide.png@3", "--known", "blue.png@5", "--last", "blue.png");
        VideoFrame wide = ImageReader.Read(_folder.File("wide.png"), new VideoReadOptions { Width = 32, Height = 32, Fit = FrameFit.Crop });
        byte[] library = await ViaLibraryAsync(new VideoRequest("a fish")
        {
            FrameCount = 9,
            Seed = 7,
            KnownFrames = [new(0, ReadImage("red.png")), new(3, wide), new(5, ReadImage("blue.png")), new(8, ReadImage("blue.png"))],
        });
        Assert.Equal(library, Pixels.Of(made));
    }

    [Fact]
    public async Task EditTakesTheVideoUpToTheModelsLength()
    {
        Write("source", TestFrames.Video(11));
        VideoFrame[] edited = await RunAsync("edit", "source.mp4", "a red fish", "--strength", "0.5", "--seed", "7");
        VideoFrame[] source = [.. VideoReader.Read(_folder.File("source.mp4"), new VideoReadOptions { MaxFrames = 5 })];
        byte[] library = await ViaLibraryAsync(new VideoRequest("a red fish") { Seed = 7, Source = [.. source], Strength = 0.5 });
        Assert.Equal(library, Pixels.Of(edited));
        Assert.Equal(9, (await RunAsync("edit", "source.mp4", "a red fish", "--frames", "9", "--strength", "0")).Length);
    }

    public static TheoryData<string[], string> BadRequests => new()
    {
        { ["animate"], "The picture is missing: sora animate fish.png" },
        { ["animate", "none.png", "a fish"], "none.png" },
        { ["generate", "a fish", "--known", "red.png"], "--known 'red.png' is not a picture's file and its index in the video from 0, such as fish.png@8." },
        { ["generate", "a fish", "--known", "red.png@5"], "KnownFrames names index 5, but the video has 5 frames; allowed: 0 to 4." },
        { ["edit", "red.png", "a fish", "--strength", "2"], "Strength 2 is out of range; allowed: 0 to 1, nearest: 1." },
        { ["edit", "source.mp4", "a fish", "--frames", "13"], "source.mp4 has 11 frames at 8 a second, and 13 were asked for; nearest: 9." },
    };

    [Theory]
    [MemberData(nameof(BadRequests))]
    public async Task WhatCannotBeGivenIsRefusedBeforeTheModelIsLoaded(string[] arguments, string part)
    {
        if (arguments.Contains("source.mp4"))
            Write("source", TestFrames.Video(11));
        SoraProcess.Result result = await SoraProcess.RunAsync([.. arguments, "--model", TinyModel.Folder, "-o", "out.mp4"], _folder.Path);
        Assert.True(result.ExitCode == 2, $"exit code {result.ExitCode}: {result.Error}");
        Assert.StartsWith("sora: ", result.Error, StringComparison.Ordinal);
        Assert.Contains(part, result.Error, StringComparison.Ordinal);
        Assert.Equal(1, result.Error.Count(letter => letter == '\n'));
        Assert.DoesNotContain("Loading", result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder.File("out.mp4")));
    }

    [Fact]
    public async Task ThePocketModelHoldsTheFirstFrame()
    {
        SoraProcess.Result result = await SoraProcess.RunAsync(["generate", "A red fish swims left in the deep sea", "--frames", "1", "--steps", "6", "--seed", "3", "-o", "fish.png", "--quiet", "--threads", "1"], _folder.Path);
        Assert.True(result.ExitCode == 0, result.Error);
        result = await SoraProcess.RunAsync(["animate", "fish.png", "A red fish swims left in the deep sea", "--frames", "9", "--steps", "4", "--seed", "4", "-o", "swims", "--quiet", "--precision", "full", "--threads", "1"], _folder.Path);
        Assert.True(result.ExitCode == 0, result.Error);

        VideoFrame image = ReadImage("fish.png"), first = ReadImage("swims", "frame-0001.png"), last = ReadImage("swims", "frame-0009.png");
        double held = Decibels(RoundTrip(image), first);
        Assert.True(held > 45, $"the first frame is {held:F1} dB from what the autoencoder makes of the image");
        // The autoencoder's own loss, and a video that goes on from there.
        double shown = Decibels(image, first), moved = Decibels(image, last);
        Assert.True(shown > 25 && moved < shown, $"the first frame is {shown:F1} dB from the image, the last {moved:F1} dB");
    }

    // What the pocket model's autoencoder makes of a picture.
    private static VideoFrame RoundTrip(VideoFrame image)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        var model = ModelFolder.Open(PocketModel.Folder);
        using var vae = new VideoAutoencoder(model.Vae, new CheckpointParameters(model.VaePath, float32, CPU));
        using var normalizer = new LatentNormalizer(model.Vae, CPU);
        Tensor latents = new FrameEncoder(vae, normalizer, CPU).Encode([image], image.Width, image.Height);
        return FrameTensors.ToFrames(vae.Decode(normalizer.Restore(latents)), 0, 8)[0];
    }

    private static double Decibels(VideoFrame a, VideoFrame b)
    {
        byte[] left = a.Rgb.ToArray(), right = b.Rgb.ToArray();
        double error = left.Zip(right, (x, y) => (double)(x - y) * (x - y)).Average();
        return error == 0 ? double.PositiveInfinity : 10 * Math.Log10(255 * 255 / error);
    }

    private async Task<VideoFrame[]> RunAsync(params string[] arguments)
    {
        string folder = $"out-{Guid.NewGuid():N}";
        SoraProcess.Result result = await SoraProcess.RunAsync(
            [.. arguments, "--model", TinyModel.Folder, "--threads", "1", "--precision", "full", "--quiet", "-o", folder], _folder.Path);
        Assert.Equal((0, "", ""), (result.ExitCode, result.Output, result.Error));
        return Pixels.OfFolder(_folder.File(folder));
    }

    private static async Task<byte[]> ViaLibraryAsync(VideoRequest request)
    {
        using VideoGenerator generator = await TinyModel.LoadAsync();
        return await Pixels.OfAsync(generator, request);
    }

    private VideoFrame ReadImage(params string[] file) => ImageReader.Read(_folder.File(file));

    private void WriteImage(string file, int number, int width = 32, int height = 32)
    {
        using var writer = new VideoWriter(_folder.File(file), width, height, 1);
        writer.Write(TestFrames.Create(number, width, height));
        writer.Complete();
    }

    private void Write(string name, IReadOnlyList<VideoFrame> frames)
    {
        using var writer = new VideoWriter(_folder.File($"{name}.mp4"), 32, 32, 8);
        foreach (VideoFrame frame in frames)
            writer.Write(frame);
        writer.Complete();
    }
}
