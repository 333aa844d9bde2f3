using System.Numerics;
using Sora.Training.SpriteWorld;
using Xunit;

namespace Sora.Tests.Training.SpriteWorld;

public class SpriteDrawingTests
{
    private static readonly Sprite s_square = new(40, 40, [.. Enumerable.Repeat(Vector4.One, 1600)]);

    [Theory]
    [InlineData(0.37f)]
    [InlineData(0.5f)]
    [InlineData(0.81f)]
    [InlineData(1.9f)]
    public void Covers_the_area_of_the_scaled_sprite_and_is_even_inside(float scale)
    {
        foreach (float at in new[] { 60f, 60.25f, 60.5f, 60.9f })
        {
            var frame = new Vector3[120 * 120];
            SpriteDrawing.Draw(frame, 120, 120, s_square, at, at, scale);
            double area = 1600 * scale * scale;
            Assert.Equal(area, frame.Sum(pixel => (double)pixel.X), 0.02 * area);
            Assert.All(Enumerable.Range(57, 6), i => Assert.Equal(1f, frame[(60 * 120) + i].X, 1e-4f));
        }
    }

    [Fact]
    public void Moves_by_fractions_of_a_pixel()
    {
        for (float at = 20f; at < 22f; at += 0.1f)
        {
            var frame = new Vector3[64 * 64];
            SpriteDrawing.Draw(frame, 64, 64, s_square, at, 32f, 0.5f);
            double mass = frame.Sum(pixel => (double)pixel.X);
            double centre = Enumerable.Range(0, frame.Length).Sum(i => ((i % 64) + 0.5) * frame[i].X) / mass;
            Assert.Equal(at, centre, 0.05);
        }
    }

    [Fact]
    public void Parts_outside_the_frame_are_cut()
    {
        var frame = new Vector3[32 * 32];
        SpriteDrawing.Draw(frame, 32, 32, s_square, 0f, 16f, 0.5f);
        Assert.Equal(200, frame.Sum(pixel => (double)pixel.X), 10.0);
        SpriteDrawing.Draw(frame, 32, 32, s_square, -100f, 16f, 0.5f);
        Assert.Equal(200, frame.Sum(pixel => (double)pixel.X), 10.0);
    }
}
