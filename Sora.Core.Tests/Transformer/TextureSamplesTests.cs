using Sora.Layers;
using Sora.Tests.Engine;
using Sora.Tests.Training.SpriteWorld;
using Sora.Training.SpriteWorld;
using Sora.Transformer;
using Xunit;

namespace Sora.Tests.Transformer;

/// <summary>What is looked up around a cell's point, against drawn maps and the waves that a drawing is made of.</summary>
public class TextureSamplesTests
{
    private const int Side = 8, Cell = 8, Harmonics = 2, Waves = (2 * Harmonics) + 1;

    // A tenth of the drawing's longer side is a cell, which is the inner ring's radius.
    [Theory]
    [InlineData("dog", Motion.Rests, false, 0)]
    [InlineData("dog", Motion.Rests, true, 0)]
    [InlineData("dog", Motion.Spins, false, 1)]
    [InlineData("dog", Motion.Spins, true, 0.7f)]
    [InlineData("rocket", Motion.Left, false, 0)]
    public void WhatIsBesideACellIsThePointOfTheCellBesideIt(string subject, Motion motion, bool facesRight, float seconds)
    {
        using DisposeScope scope = NewDisposeScope();
        World world = SyntheticAtlas.World(SpriteWorldConfig.ByDay);
        ClipDescription clip = world.SampleTraining(3) with
        {
            Subject = SubjectCatalogue.Get(subject), Motion = motion, FacesRight = facesRight, Start = (0.5f, 0.5f), Extent = 10f * Cell / (Side * Cell), Speed = motion == Motion.Spins ? 0.25f : 0, Camera = CameraMove.Still, Companion = null,
        };
        var values = new float[SemanticMap.Channels * Side * Side];
        SemanticMap.Draw(clip, world.Atlas, (Side * Cell, Side * Cell), (0, 0, Side * Cell, Side * Cell), [[seconds]], Cell, values);
        Tensor map = tensor(values, [SemanticMap.Channels, Side * Side]).transpose(0, 1).contiguous();
        MapReading reading = TextureEmbedding.Read(map, zeros([Side * Side, 1]));
        float[] points = TextureSamples.Points(reading).data<float>().ToArray();
        int compared = 0;
        for (int i = 0; i < Side * Side; i++)
        {
            foreach ((int ring, int right, int down) in ((int, int, int)[])[(0, 0, 0), (1, 1, 0), (2, 1, 1), (3, 0, 1), (5, -1, 0), (6, -1, -1), (7, 0, -1)])
            {
                (int x, int y) = ((i % Side) + right, (i / Side) + down);
                if (x is < 0 or >= Side || y is < 0 or >= Side || !Covered(i) || !Covered((y * Side) + x))
                    continue;
                // Diagonal neighbours are farther than the ring.
                float share = right != 0 && down != 0 ? MathF.Sqrt(2) : 1;
                for (int axis = 0; axis < 2; axis++)
                {
                    float own = Point(i, axis), there = Point((y * Side) + x, axis), given = points[(((i * TextureSamples.Around.Length) + ring) * 2) + axis];
                    Assert.Equal(there, own + ((given - own) * share), 5e-3f);
                }
                compared++;
            }
        }
        Assert.True(compared > 100);

        bool Covered(int cell) => values[((SemanticMap.Channels - 1) * Side * Side) + cell] > 0;
        float Point(int cell, int axis) => values[((SemanticMap.CodeLength + axis) * Side * Side) + cell] / SemanticMap.PointScale;
    }

    [Fact]
    public void ASampleIsTheSumOfItsDrawingsWaves()
    {
        using DisposeScope scope = NewDisposeScope();
        const int Width = 3, Subject = 9;
        int outputs = TextureSamples.Around.Length * Width;
        using var source = new FreshParameters(7, float32);
        var samples = new TextureSamples(new ParameterScope(source)["samples"], Width, Harmonics, outputs);
        using IDisposable noGradients = no_grad();
        source.Parameters["samples.code.weight"].copy_(tensor([.. Enumerable.Range(0, outputs * outputs).Select(i => i % (outputs + 1) == 0 ? 1f : 0f)], [outputs, outputs]));
        float[] drawings = source.Parameters["samples.drawings.weight"].data<float>().ToArray();                // W·W·K S
        (float x, float y) = (0.2f, -0.3f);
        Tensor subjects = tensor([.. SemanticMap.Codes.Select((_, i) => i == Subject ? 1f : 0f)], [1, SemanticMap.Codes.Length]);
        var reading = new MapReading(subjects, tensor([x, y], [1, 2]), zeros([1, 1]), tensor([1f], [1, 1]), tensor([0f, 1f, -1f, 0f], [1, 4]));
        float[] given = samples.Of(reading).data<float>().ToArray();
        for (int j = 0; j < TextureSamples.Around.Length; j++)
        {
            // A mirrored drawing that is turned by a quarter: down in the picture is to the left in the drawing, and to the right is up.
            (float right, float down) = TextureSamples.Around[j];
            float[] across = TextureEmbeddingTests.WavesAt(x - down, Harmonics), below = TextureEmbeddingTests.WavesAt(y - right, Harmonics);
            for (int k = 0; k < Width; k++)
            {
                float expected = 0;
                for (int w = 0; w < Waves * Waves; w++)
                    expected += across[w / Waves] * below[w % Waves] * drawings[(((w * Width) + k) * SemanticMap.Codes.Length) + Subject];
                Assert.Equal(expected, given[(j * Width) + k], 1e-4f);
            }
        }
    }

    [Fact]
    public void OfNoiseAloneNothingAroundIsKnown()
    {
        using DisposeScope scope = NewDisposeScope();
        MapReading reading = TextureEmbedding.Read(RandomTensor.Create(1, 20, SemanticMap.Channels), ones([20, 1]));
        Tensor points = TextureSamples.Points(reading);
        Assert.Equal([20, TextureSamples.Around.Length, 2], points.shape);
        Assert.Equal(0, points.abs().max().item<float>());
    }
}
