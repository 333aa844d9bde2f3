using Sora.Patches;
using Sora.Training.SpriteWorld;
using Xunit;

namespace Sora.Tests.Training.SpriteWorld;

/// <summary>Which patches show a clip's subject, against the pixels that its drawing changes.</summary>
public class SubjectTokensTests
{
    [Theory]
    [InlineData(64, 64, 1)]
    [InlineData(64, 64, 17)]
    [InlineData(96, 48, 9)]
    public void Every_pixel_of_the_subject_lies_in_a_marked_patch(int width, int height, int frames)
    {
        const int size = 8, stride = 4;
        World world = SyntheticAtlas.FirstEdition;
        var grid = new PatchGrid(((frames - 1) / stride) + 1, height / size, width / size);
        for (ulong seed = 0; seed < 12; seed++)
        {
            ClipDescription clip = world.SampleTraining(seed);
            var marks = new float[grid.Count];
            SubjectTokens.Mark(clip, new(width, height, frames), 8, grid, stride, 1, marks);
            Assert.All(marks, mark => Assert.True(mark is 0 or 1));
            Assert.InRange(marks.Average(), 0.05, 0.9);

            byte[] drawn = new byte[width * height * frames * 3], empty = new byte[drawn.Length];
            world.Render(clip, width, height, frames, 8, drawn);
            // The same scene with its subject out of sight.
            world.Render(clip with { Start = (50, 50), Motion = Motion.Rests }, width, height, frames, 8, empty);
            for (int t = 0; t < frames; t++)
            {
                for (int y = 0; y < height; y++)
                {
                    for (int x = 0; x < width; x++)
                    {
                        int pixel = ((((t * height) + y) * width) + x) * 3;
                        if (drawn.AsSpan(pixel, 3).SequenceEqual(empty.AsSpan(pixel, 3)))
                            continue;
                        int patch = ((((t + stride - 1) / stride) * grid.H) + (y / size)) * grid.W;
                        Assert.True(marks[patch + (x / size)] == 1, $"seed {seed}, frame {t}, pixel {x}, {y}");
                    }
                }
            }
        }
    }

    [Fact]
    public void A_patch_of_two_latent_frames_has_the_marks_of_both()
    {
        ClipDescription clip = SyntheticAtlas.FirstEdition.SampleTraining(0) with { Motion = Motion.Left, Start = (0.9f, 0.5f), Speed = 0.4f };
        float[] single = new float[4 * 8 * 8], paired = new float[2 * 8 * 8];
        SubjectTokens.Mark(clip, new(64, 64, 13), 8, new(4, 8, 8), 4, 1, single);
        SubjectTokens.Mark(clip, new(64, 64, 13), 8, new(2, 8, 8), 4, 2, paired);
        for (int i = 0; i < paired.Length; i++)
        {
            int token = (i / 64 * 128) + (i % 64);
            Assert.Equal(Math.Max(single[token], single[token + 64]), paired[i]);
        }
    }
}
