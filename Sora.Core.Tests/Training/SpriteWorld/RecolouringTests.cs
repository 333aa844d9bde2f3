using System.Numerics;
using Sora.Training.SpriteWorld;
using Xunit;

namespace Sora.Tests.Training.SpriteWorld;

public class RecolouringTests
{
    private static readonly Subject s_ball = SubjectCatalogue.Get("ball");

    // A black, a dark, a middle (twice: the body), and a bright pixel.
    private static readonly Sprite s_greys = Sprite.FromRgba(5, 1,
        [5, 5, 5, 255, 90, 90, 90, 255, 150, 150, 150, 255, 150, 150, 150, 255, 240, 240, 240, 255]);

    [Theory]
    [InlineData(SubjectColour.Red, 0)]
    [InlineData(SubjectColour.Green, 1)]
    [InlineData(SubjectColour.Blue, 2)]
    public void Paints_the_body_and_keeps_shading_and_outline(SubjectColour colour, int channel)
    {
        Vector4[] painted = Recolouring.Apply(s_greys, s_ball, colour).Pixels;
        Assert.True(painted[0].X + painted[0].Y + painted[0].Z < 0.1f);
        foreach (Vector4 pixel in painted[1..])
        {
            for (int other = 0; other < 3; other++)
                Assert.True(other == channel || pixel[channel] > pixel[other] + 0.1f);
        }

        float[] lumas = [.. painted.Select(pixel => Rgb.Luma(new Vector3(pixel.X, pixel.Y, pixel.Z)))];
        Assert.True(lumas[0] < lumas[1] && lumas[1] < lumas[2] && lumas[3] < lumas[4]);
    }

    [Fact]
    public void Keeps_its_own_colour_otherwise() =>
        Assert.Same(s_greys, Recolouring.Apply(s_greys, s_ball, SubjectColour.Own));

    [Fact]
    public void Tyres_and_windows_of_a_car_stay()
    {
        var car = Sprite.FromRgba(4, 1, [200, 20, 20, 255, 200, 20, 20, 255, 90, 90, 90, 255, 150, 200, 240, 255]);
        Vector4[] painted = Recolouring.Apply(car, SubjectCatalogue.Get("car"), SubjectColour.Green).Pixels;
        Assert.True(painted[0].Y > painted[0].X + 0.2f);
        Assert.Equal(car.Pixels[2], painted[2]);
        Assert.Equal(car.Pixels[3], painted[3]);
    }
}
