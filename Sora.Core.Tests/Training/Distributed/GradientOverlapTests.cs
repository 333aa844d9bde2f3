using Sora.Layers;
using Sora.Tests.Engine;
using Sora.Training;
using Sora.Training.Distributed;
using Sora.Transformer;
using Xunit;

namespace Sora.Tests.Training.Distributed;

[Collection(LiveTensors.Name)]
public class GradientOverlapTests
{
    [Fact]
    public void BlocksAreToldFromTheLastWithWholeGradients()
    {
        long before = LiveTensors.Count();
        using (var exchange = new Recorder())
        using (DisposeScope scope = NewDisposeScope())
        using (var transformer = new DiffusionTransformer(TinyTraining.Flow("", 1).Transformer with { NumLayers = 3 }, new FreshParameters(1, float32)))
        {
            foreach ((string name, Parameter parameter) in transformer.Parameters)
            {
                parameter.requires_grad = true;
                // The zeros of a fresh network hide most gradients.
                using IDisposable noGradients = no_grad();
                parameter.add_(RandomTensor.Create((ulong)name.Length, parameter.shape), 0.1);
            }
            GradientOverlap.Begin(transformer, exchange);
            Tensor velocity = transformer.Forward(RandomTensor.Create(1, 2, 4, 1, 4, 4), [500, 700], transformer.Prepare(RandomTensor.Create(2, 2, 5, 16)));
            velocity.square().sum().backward();

            Assert.Equal(3, exchange.Told.Count);
            for (int i = 0; i < 3; i++)
            {
                Parameter[] block = [.. transformer.Parameters.Where(p => DiffusionTransformer.IsBehind(2 - i, p.Key)).Select(p => p.Value)];
                Assert.Equal(block, exchange.Told[i].Select(t => t.Parameter), ReferenceEqualityComparer.Instance);
                Assert.All(exchange.Told[i], t => Assert.Equal(0, (t.Gradient - t.Parameter.grad!).abs().max().item<float>()));
                Assert.Contains(exchange.Told[i], t => t.Gradient.abs().max().item<float>() > 0);
            }
            // All but keys and values of the text: 4 + 2 + 2 · 2 matrices with their biases, norms and the table.
            Assert.Equal(transformer.Parameters.Keys.Count(name => name.StartsWith("blocks.0.", StringComparison.Ordinal)) - 5, exchange.Told[0].Count);
        }
        Assert.Equal(before, LiveTensors.Count());
    }

    [Fact]
    public void AnErrorOfTheExchangeEndsTheBackwardPass()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = ones([2]).requires_grad_();
        Tensor y = BackwardMark.Place(x, () => throw new InvalidOperationException("the network is gone")).sum();
        Exception exception = Assert.ThrowsAny<Exception>(y.backward);
        Assert.Contains("the network is gone", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AMarkChangesNeitherValuesNorGradients()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = RandomTensor.Create(1, 3, 4).requires_grad_();
        int reached = 0;
        Tensor marked = BackwardMark.Place(x * 2, () => reached++);
        Assert.Equal(0, (marked - (x * 2)).abs().max().item<float>());
        Assert.Equal(0, reached);
        marked.square().sum().backward();
        Assert.Equal(1, reached);
        Assert.Equal(0, (x.grad! - (x.detach() * 8)).abs().max().item<float>());

        using IDisposable noGradients = no_grad();
        Assert.False(BackwardMark.Place(x, () => reached++).requires_grad);
    }

    private sealed class Recorder : IGradientExchange, IDisposable
    {
        public List<List<(Parameter Parameter, Tensor Gradient)>> Told { get; } = [];

        public int Rank => 0;

        public int Count => 2;

        public void Ready(IReadOnlyList<Parameter> parameters)
        {
            var told = new List<(Parameter, Tensor)>();
            foreach (Parameter parameter in parameters)
            {
                using Tensor? gradient = parameter.grad;
                told.Add((parameter, gradient!.clone().DetachFromDisposeScope()));
            }
            Told.Add(told);
        }

        public void Broadcast(IEnumerable<Tensor> tensors)
        {
        }

        public void BeginLastBackward()
        {
        }

        public void Average(IReadOnlyDictionary<string, Parameter> parameters)
        {
        }

        public double Average(double value) => value;

        public void Dispose() => Told.ForEach(told => told.ForEach(t => t.Gradient.Dispose()));
    }
}
