using Sora.Conditioning;
using Sora.Frames;
using Sora.Latents;
using Sora.Previews;
using Sora.Tests.Generation;
using Sora.Tests.Training.SpriteWorld;
using Sora.Training.SpriteWorld;
using Sora.VideoVae;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Previews;

public class LatentColoursTests
{
    [Fact]
    public void APointBecomesItsPixels()
    {
        // One channel, 2x2 pixels: the channel adds to the red of the first, the green of the second, the blue of the third row's first.
        var colours = new LatentColours(1, 2, [0.5f, 0, 0, 0, 0.5f, 0, 0, 0, 0.5f, 0, 0, 0], [-1, -1, -1, -1, -1, -1, -1, -1, -1, 1, 1, 1]);
        using DisposeScope scope = NewDisposeScope();
        VideoFrame picture = colours.Draw(tensor([9f, 9, 0, 2, 4, 100], [1, 1, 2, 1, 3]).narrow(4, 0, 3), 1);
        Assert.Equal((6, 2), (picture.Width, picture.Height));
        byte[] row0 = [128, 0, 0, 0, 128, 0, 255, 0, 0, 0, 255, 0, 255, 0, 0, 0, 255, 0];
        byte[] row1 = [0, 0, 128, 255, 255, 255, 0, 0, 255, 255, 255, 255, 0, 0, 255, 255, 255, 255];
        Assert.Equal([.. row0, .. row1], picture.Rgb.ToArray());
    }

    [Fact]
    public void ThePublishedAutoencodersHaveThePublishedColours()
    {
        using DisposeScope scope = NewDisposeScope();
        LatentColours wan21 = PublishedColours.Of(new AutoencoderKLWanConfig())!;
        Tensor latent = zeros([1, 16, 1, 1, 2]);
        latent.narrow(1, 6, 1).narrow(4, 1, 1).fill_(1);
        // (1 − 0.1835)·127.5 and so on; the second point has −0.3477, −0.4059 and −0.2925 more.
        Assert.Equal([104, 116, 85, 60, 65, 47], wan21.Draw(latent, 0).Rgb.ToArray());
        LatentColours wan22 = PublishedColours.Of(PublishedModel.Find("wan2.2-ti2v-5b").Vae)!;
        Assert.Equal((48, 1), (wan22.Channels, wan22.Scale));
        Assert.Equal([132, 116, 110], wan22.Draw(zeros([1, 48, 1, 1, 1]), 0).Rgb.ToArray());
        Assert.Null(PublishedColours.Of(TinyModel.Vae));
        // A new model begins with these statistics, and has other latents.
        Assert.Null(PublishedColours.Of(PublishedModel.Find("pocket").Vae));
    }

    [Fact]
    public void ThePocketModelsColoursAreFittedToItsAutoencoder()
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        ModelFolder folder = ModelFolder.Open(PocketModel.Folder);
        using var vae = new VideoAutoencoder(folder.Vae, new CheckpointParameters(folder.VaePath, float32, CPU));
        using var normalizer = new LatentNormalizer(folder.Vae, CPU);
        LatentColours colours = FittedColours.Of(vae, normalizer, CPU);
        Assert.Equal((252, 4), (colours.Channels, colours.Scale));

        // Clips that the fit did not see: moving subjects before scenes.
        World world = SyntheticAtlas.World(SpriteWorldConfig.ByDay);
        double error = 0, spread = 0;
        for (ulong seed = 0; seed < 4; seed++)
        {
            var rgb = new byte[5 * 64 * 64 * 3];
            world.Render(world.Sample(seed), 64, 64, 5, 8, rgb);
            VideoFrame[] clip = [.. Enumerable.Range(0, 5).Select(t => new VideoFrame(t, 64, 64, rgb.AsMemory(t * 64 * 64 * 3, 64 * 64 * 3), TimeSpan.Zero))];
            Tensor latent = new FrameEncoder(vae, normalizer, CPU).Encode(clip, 64, 64);
            float[] expected = Halved(clip[0]);
            VideoFrame drawn = colours.Draw(latent, 0);
            Assert.Equal((32, 32), (drawn.Width, drawn.Height));
            byte[] pixels = drawn.Rgb.ToArray();
            float mean = expected.Average();
            error += expected.Zip(pixels).Average(pair => Math.Pow(pair.First - pair.Second, 2));
            spread += expected.Average(value => Math.Pow(value - mean, 2));
        }
        // A picture of one colour would have the spread as its error; the autoencoder is not linear, and the rest is what that costs.
        Assert.InRange(error / spread, 0, 0.3);
    }

    // Means of 2x2 pixels.
    private static float[] Halved(VideoFrame frame)
    {
        ReadOnlyMemory<byte> rgb = frame.Rgb;
        float At(int x, int y, int c) => rgb.Span[(((y * frame.Width) + x) * 3) + c];
        return
        [
            .. from y in Enumerable.Range(0, frame.Height / 2)
               from x in Enumerable.Range(0, frame.Width / 2)
               from c in Enumerable.Range(0, 3)
               select (At(2 * x, 2 * y, c) + At((2 * x) + 1, 2 * y, c) + At(2 * x, (2 * y) + 1, c) + At((2 * x) + 1, (2 * y) + 1, c)) / 4,
        ];
    }
}
