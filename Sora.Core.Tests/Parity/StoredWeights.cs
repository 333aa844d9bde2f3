using Sora.Weights;
using Xunit;

namespace Sora.Tests.Parity;

/// <summary>
/// The weights of a case as the reference reads them: all of a tensor, or of a large one some rows and sums over each row.
/// </summary>
internal static class StoredWeights
{
    /// <summary>Asserts that a store gives the numbers of <c>expected.safetensors</c>, and holds no other tensors.</summary>
    /// <param name="folder">The case.</param>
    /// <param name="store">The weights, under the names that the reference uses.</param>
    /// <param name="allowed">The difference allowed from a number, given a tensor's name and all numbers expected.</param>
    /// <param name="rowSum">The difference allowed between sums over a row.</param>
    public static void Check(string folder, WeightStore store, Func<string, float[], Func<float, double>> allowed, double rowSum = 0)
    {
        using SafetensorsStore expected = SafetensorsStore.Open(Path.Combine(folder, "expected.safetensors"));
        HashSet<string> names = [];
        foreach (string name in expected.Names)
        {
            using DisposeScope scope = NewDisposeScope();
            string[] parts = name.Split('.', 2);
            string weight = parts[0] is "rows" or "rowsum" or "rowsumsq" ? parts[1] : name;
            names.Add(weight);
            Tensor all = store.Read(weight, float32, CPU);
            Tensor given = parts[0] switch
            {
                "rows" => all.index_select(0, tensor((long[])[0, 1, all.size(0) / 2, all.size(0) - 1])),
                "rowsum" => all.to(float64).flatten(1).sum([1]),
                "rowsumsq" => all.to(float64).flatten(1).square().sum([1]),
                _ => all,
            };
            Assert.Equal(expected.ShapeOf(name), given.shape);
            float[] a = expected.Read(name, float32, CPU).data<float>().ToArray(), b = given.to(float32).contiguous().data<float>().ToArray();
            Func<float, double> tolerance = parts[0] is "rowsum" or "rowsumsq" ? _ => rowSum : allowed(name, a);
            for (int i = 0; i < a.Length; i++)
                Assert.True(a[i].Equals(b[i]) || Math.Abs((double)a[i] - b[i]) <= tolerance(a[i]),
                    $"{folder}: {name}[{i}] is {b[i]:R}, not {a[i]:R}; allowed: {tolerance(a[i])}.");
        }
        Assert.Equal(names.Order(StringComparer.Ordinal), store.Names.Order(StringComparer.Ordinal));
    }

    /// <summary>
    /// Asserts that reading in bfloat16 gives what the engine makes of the numbers in float32, in memory of its own and in
    /// memory that is there.
    /// </summary>
    public static void CheckBFloat16(WeightStore store)
    {
        foreach (string name in store.Names)
        {
            using DisposeScope scope = NewDisposeScope();
            float[] rounded = store.Read(name, float32, CPU).to(bfloat16).to(float32).data<float>().ToArray();
            Tensor read = store.Read(name, bfloat16, CPU), again = ones(read.shape, bfloat16), single = ones(read.shape);
            Assert.Equal(rounded, read.to(float32).data<float>().ToArray());
            store.ReadInto(name, again);
            Assert.Equal(rounded, again.to(float32).data<float>().ToArray());
            store.ReadInto(name, single);
            Assert.Equal(store.Read(name, float32, CPU).data<float>().ToArray(), single.data<float>().ToArray());
        }
    }
}
